"""`/api/notifies`, `/api/printable-document`, `/softone/trigger`."""

import asyncio
import re
import shutil
import subprocess

import pytest

from tests.schema.rest.houses import House

NOTICE = "/api/printable-document/notice"


async def test_equal_texts_are_notifications_of_their_own(house: House) -> None:
    body = {"title": "Inventory", "message": "Aisle A – Διάδρομος Α – Алея А"}

    first, second = [(await house.post("/api/notifies", body)).data for _ in range(2)]

    assert first.pop("dateAdded").endswith("Z")
    assert first == {"notificationId": 1, **body, "recipientId": None}
    assert second["notificationId"] == 2
    events = await house.room.world.rows("SELECT kind, subject_id FROM events WHERE topic = 'notification' ORDER BY id")
    assert [tuple(event.values()) for event in events] == [("added", 1), ("added", 2)]


async def test_a_recipient_is_a_user_of_the_tenant(house: House, other_house: House) -> None:
    await other_house.run("UPDATE users SET id = 77 WHERE username = 'viewer'")
    body = {"title": "x", "message": "y"}

    assert (await house.post("/api/notifies", body | {"recipientId": 4})).data["recipientId"] == 4
    (await house.post("/api/notifies", body | {"recipientId": 77})).refused(404, "recipientId")
    (await house.post("/api/notifies", body, user="viewer")).refused(403)


async def printed(house: House, number: str, *lines: tuple[str, int]) -> bytes:
    order = await house.room.order(number, *lines)
    answer = await house.send("POST", f"{NOTICE}/{order}", user="viewer")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == f'inline; filename="notice-{order}.pdf"'
    return bytes(answer.body)


async def test_a_notice_is_the_same_however_often_it_is_printed(house: House) -> None:
    await house.room.world.add_product("LED")

    first = await printed(house, "WEB-1", ("LED", 2))
    again = await house.send("POST", f"{NOTICE}/1")

    assert first.startswith(b"%PDF-") and first == again.body
    assert first.count(b"/FontFile2") == 2


async def test_any_script_in_any_text_is_printed(house: House) -> None:
    for code, name in (("中文", "电灯 – مصباح"), ("💡", "Bec 💡 ‮ \u0001")):
        await house.room.world.add_product(code, name=name)

    pdf = await printed(house, "Ж/ș 中 & <b>", ("中文", 2), ("💡", 3))

    assert pdf.startswith(b"%PDF-")


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext (Debian: poppler-utils) reads the PDF back")
async def test_a_notice_shows_the_reference_the_client_and_every_line(house: House) -> None:
    await house.room.world.add_product("LED-9W", name="Bec „LED” ăâîșț – Λάμπα – Лампа 中")
    lines = [{"productModel": "LED-9W", "quantity": n + 1} for n in range(120)]
    body = {"externalOrderId": "WEB-20017", "company": {"name": "Ștefan & Fiii SRL"}, "orderProducts": lines}
    (order,) = (await house.put("/api/order/add", body)).data

    pdf = bytes((await house.send("POST", f"{NOTICE}/{order['orderId']}")).body)
    text = await asyncio.to_thread(_text_of, pdf)

    assert "WEB-20017" in text and "Ștefan & Fiii SRL" in text
    assert text.count("Bec „LED” ăâîșț – Λάμπα – Лампа �") == 120
    assert {str(n + 1) for n in range(120)} <= set(text.split())
    pages = text.rstrip("\f").split("\f")
    assert len(pages) > 2 and all("Quantity" in page for page in pages[:-1])
    for number, page in enumerate(pages, start=1):
        assert re.search(rf"{number} ?/ ?{len(pages)}\s*$", page)


async def test_a_thousand_lines_are_printed(house: House) -> None:
    await house.room.world.add_product("LED")

    pdf = await printed(house, "W" * 255, *[("LED", 1)] * 1000)

    assert len(re.findall(rb"/Type /Page\b", pdf)) > 15


async def test_no_order_no_notice(house: House, other_house: House) -> None:
    await other_house.room.order("WEB-1")

    (await house.post(f"{NOTICE}/1")).refused(404, "orderId")


def _text_of(pdf: bytes) -> str:
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return done.stdout.decode()


@pytest.mark.parametrize(
    ("path", "entity", "action", "topic"),
    [
        ("order/1001", "order", "sync", "orders"),
        ("nir/1001", "nir", "sync", "nirs"),
        ("delete/order/1001", "order", "delete", "deleted:orders"),
    ],
)
async def test_a_trigger_is_one_job_while_it_waits(
    house: House, path: str, entity: str, action: str, topic: str
) -> None:
    await house.room.world.connect("SOFTONE")

    first = (await house.get(f"/softone/trigger/{path}")).data
    again = await asyncio.gather(*(house.get(f"/softone/trigger/{path}") for _ in range(3)))

    assert first == {"jobId": first["jobId"], "entity": entity, "action": action, "externalId": "1001"}
    assert [answer.data for answer in again] == [first] * 3
    waiting = await house.room.world.rows("SELECT id, code, topic, key, state FROM inbox")
    assert [tuple(row.values()) for row in waiting] == [(int(first["jobId"]), "SOFTONE", topic, "1001", "WAITING")]

    await house.run("UPDATE inbox SET state = 'DONE'")
    assert (await house.get(f"/softone/trigger/{path}")).data["jobId"] != first["jobId"]


async def test_other_documents_are_other_jobs(house: House) -> None:
    await house.room.world.connect("SOFTONE")

    paths = ("order/1", "order/2", "nir/1", "delete/order/1", "order/a%2Fb")
    jobs = [(await house.get(f"/softone/trigger/{path}")).data["jobId"] for path in paths]

    assert len(set(jobs)) == len(paths)


async def test_a_trigger_needs_softone_to_be_the_active_integration(house: House) -> None:
    (await house.get("/softone/trigger/order/1")).refused(409, "SoftOne")
    await house.room.world.connect("SOFTONE", active=False)
    await house.room.world.connect("NEXUS")

    (await house.get("/softone/trigger/order/1")).refused(409, "SoftOne")
    (await house.get("/softone/trigger/order/1", user="viewer")).refused(403)
    assert await house.value("SELECT count(*) FROM inbox") == 0
