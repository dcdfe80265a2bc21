"""The notice of an order as a PDF: fonts embedded, every script printable, the same bytes for the same order.

Latin, Greek and Cyrillic are shown; characters of other scripts become a replacement sign.
"""

import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from html import escape
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from hub.queries.notices import Notice

FONTS = Path(__file__).parent / "fonts"
REGULAR, BOLD = "DejaVuSans", "DejaVuSans-Bold"
REPLACEMENT = "\ufffd"
MARGIN = 15 * mm
PADDING = 6
"""What reportlab keeps free inside the margins."""
WIDTH = A4[0] - 2 * MARGIN
INK, GREY, RULE, SHADE = HexColor("#1b1f24"), HexColor("#5b6570"), HexColor("#c9d0d8"), HexColor("#eef1f4")
BAR = 0.9
"""The widest and (halved) the narrowest bar of the barcode, in points."""
LONGEST_DETAIL = 300

_drawing = Lock()


def notice_pdf(notice: Notice) -> bytes:
    """Draw it. Takes a second for a thousand lines: call it beside the event loop."""
    with _drawing:
        _register_fonts()
        out = BytesIO()
        document = SimpleDocTemplate(
            out,
            pagesize=A4,
            leftMargin=MARGIN - PADDING,
            rightMargin=MARGIN - PADDING,
            topMargin=MARGIN,
            bottomMargin=20 * mm,
            title=f"Notice {clean(notice.reference)}",
            author=clean(notice.tenant),
            invariant=1,
        )
        document.build(list(_story(notice)), canvasmaker=_canvas(notice))
        return out.getvalue()


def clean(text: str) -> str:
    """The text with what the fonts cannot show replaced, and control characters as blanks."""
    known = _known_characters()
    composed = unicodedata.normalize("NFC", text)
    return "".join(
        character if ord(character) in known else " " if character.isspace() else REPLACEMENT for character in composed
    )


def amount(value: Decimal) -> str:
    """2.5, 10: exact, without trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _story(notice: Notice) -> Iterator[Flowable]:
    yield _head(notice)
    yield Spacer(0, 6 * mm)
    yield _parties(notice)
    yield Spacer(0, 6 * mm)
    yield _lines(notice)
    yield Spacer(0, 5 * mm)
    yield from _closing(notice)


def _head(notice: Notice) -> Flowable:
    title = [_text(notice.tenant, "small"), _text("Notice", "title"), _text(notice.reference, "reference")]
    return Table(
        [[title, _barcode(notice)]],
        colWidths=[WIDTH * 0.5, WIDTH * 0.5],
        style=TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("ALIGN", (1, 0), (1, 0), "RIGHT"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ]
        ),
    )


def _barcode(notice: Notice) -> Flowable:
    """The reference, or the order's id where the reference has signs that Code 128 lacks or is too long to scan."""
    for value in (notice.reference, str(notice.order_id)):
        if value.isascii() and value.isprintable():
            width = WIDTH * 0.5 / (Code128(value, barWidth=1, quiet=True).width)
            if width >= BAR / 2:
                return Code128(
                    value,
                    barWidth=min(width, BAR),
                    barHeight=12 * mm,
                    quiet=True,
                    humanReadable=True,
                    fontName=REGULAR,
                    fontSize=8,
                )
    raise AssertionError("an id always fits")


def _parties(notice: Notice) -> Flowable:
    order = [
        ("Order", notice.reference),
        ("Order id", str(notice.order_id)),
        ("Reference", notice.third_party_reference),
        ("Date", f"{notice.created_at:%d.%m.%Y}"),
        ("Warehouse", notice.warehouse),
    ]
    client = [
        ("Client", notice.client or "–"),
        ("Tax code", notice.client_cui),
        ("Register no.", notice.client_reg_no),
        ("Address", notice.client_address),
        ("Phone", notice.client_phone),
        ("E-mail", notice.client_email),
    ]
    return Table(
        [[_details(order), _details(client)]],
        colWidths=[WIDTH * 0.5, WIDTH * 0.5],
        style=TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (0, 0), 0),
                ("LINEABOVE", (0, 0), (-1, 0), 0.6, RULE),
                ("LINEBELOW", (0, 0), (-1, 0), 0.6, RULE),
                ("TOPPADDING", (0, 0), (-1, -1), 6),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 6),
            ]
        ),
    )


def _details(rows: list[tuple[str, str | None]]) -> list[Flowable]:
    return [
        Paragraph(f'<font color="#5b6570">{label}</font>&nbsp;&nbsp;{_markup(_shortened(value))}', _styles()["body"])
        for label, value in rows
        if value
    ]


def _lines(notice: Notice) -> Flowable:
    head = [_text(word, "right" if word in ("Quantity", "Picked") else "head") for word in _columns(notice)]
    rows: list[list[Any]] = [head]
    for number, line in enumerate(notice.lines, 1):
        row = [_text(str(number), "small"), _text(line.code, "body"), _text(line.name, "body")]
        row += [_text(line.unit or "", "body"), _text(amount(line.quantity), "number")]
        if notice.picked:
            row.append(_text(amount(line.picked_quantity), "number"))
        rows.append(row)
    if not notice.lines:
        rows.append(["", "", _text("No lines.", "small"), *[""] * (len(head) - 3)])
    fixed = [11 * mm, 38 * mm, 0, 14 * mm, 24 * mm] + ([24 * mm] if notice.picked else [])
    fixed[2] = WIDTH - sum(fixed)
    return LongTable(
        rows,
        colWidths=fixed,
        repeatRows=1,
        style=TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), SHADE),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 3),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
                ("TOPPADDING", (0, 0), (-1, -1), 2.5),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
            ]
        ),
    )


def _columns(notice: Notice) -> list[str]:
    return ["No.", "Code", "Product", "Unit", "Quantity", *(["Picked"] if notice.picked else [])]


def _closing(notice: Notice) -> Iterator[Flowable]:
    totals = [f"Lines: {len(notice.lines)}", f"Weight: {amount(notice.weight)} kg"]
    totals += [f"Packages: {notice.packages}"] if notice.packages is not None else []
    totals += [f"Envelopes: {notice.envelopes}"] if notice.envelopes is not None else []
    yield _text("   ·   ".join(totals), "body")
    for name, value in notice.requirements:
        yield Paragraph(f'<font color="#5b6570">{_markup(name)}</font>&nbsp;&nbsp;{_markup(value)}', _styles()["body"])
    if notice.comment:
        yield Spacer(0, 3 * mm)
        yield from (_text(part, "body") for part in notice.comment.splitlines() if part.strip())
    yield Spacer(0, 14 * mm)
    yield Table(
        [[_text("Handed over by", "small"), "", _text("Received by", "small")]],
        colWidths=[WIDTH * 0.42, WIDTH * 0.16, WIDTH * 0.42],
        style=TableStyle([("LINEABOVE", (0, 0), (0, 0), 0.6, GREY), ("LINEABOVE", (2, 0), (2, 0), 0.6, GREY)]),
    )


def _canvas(notice: Notice) -> type[Canvas]:
    """A canvas that knows the number of pages before it writes the first footer."""
    footer = _shortened(f"{notice.tenant} · {notice.reference}", 90)

    class NumberedCanvas(Canvas):  # type: ignore[misc]  # reportlab has no types
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, 1):
                self.__dict__.update(page)
                self.setFont(REGULAR, 7.5)
                self.setFillColor(GREY)
                self.drawString(MARGIN, 11 * mm, clean(footer))
                self.drawRightString(A4[0] - MARGIN, 11 * mm, f"{number} / {len(self._pages)}")
                super().showPage()
            super().save()

    return NumberedCanvas


def _text(text: str, style: str) -> Paragraph:
    return Paragraph(_markup(text), _styles()[style])


def _markup(text: str) -> str:
    return escape(clean(text), quote=False)


def _shortened(text: str | None, longest: int = LONGEST_DETAIL) -> str:
    text = text or ""
    return text if len(text) <= longest else text[: longest - 1] + "…"


@cache
def _register_fonts() -> None:
    for name in (REGULAR, BOLD):
        pdfmetrics.registerFont(TTFont(name, FONTS / f"{name}.ttf"))
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)


@cache
def _known_characters() -> frozenset[int]:
    _register_fonts()
    return frozenset(pdfmetrics.getFont(REGULAR).face.charToGlyph)


@cache
def _styles() -> dict[str, ParagraphStyle]:
    body = ParagraphStyle("body", fontName=REGULAR, fontSize=8.5, leading=11, textColor=INK, splitLongWords=1)
    return {
        "body": body,
        "small": ParagraphStyle("small", parent=body, fontSize=7.5, textColor=GREY),
        "head": ParagraphStyle("head", parent=body, fontName=BOLD, fontSize=8),
        "right": ParagraphStyle("right", parent=body, fontName=BOLD, fontSize=8, alignment=TA_RIGHT),
        "number": ParagraphStyle("number", parent=body, alignment=TA_RIGHT),
        "title": ParagraphStyle("title", parent=body, fontName=BOLD, fontSize=18, leading=24),
        "reference": ParagraphStyle("reference", parent=body, fontName=BOLD, fontSize=11, leading=14),
    }
