"""The words of the sandboxes' shops: Romanian products, people and places, all invented."""

CATEGORIES: dict[str, tuple[tuple[str, str], ...]] = {
    "Iluminat": (
        ("LMP", "Lampă de birou"),
        ("APL", "Aplică de perete"),
        ("BEC", "Bec LED E27"),
        ("VEI", "Veioză pentru noptieră"),
        ("LUS", "Lustră cu cinci brațe"),
    ),
    "Scule": (
        ("CIO", "Ciocan cu coadă de frasin"),
        ("SUR", "Șurubelniță în cruce"),
        ("CLE", "Clește patent"),
        ("BUR", "Set burghie pentru beton"),
        ("NIV", "Nivelă cu bulă"),
    ),
    "Grădină": (
        ("FUR", "Furtun de stropit"),
        ("GRE", "Greblă metalică"),
        ("SEM", "Semințe de roșii"),
        ("GHI", "Ghiveci ceramic"),
        ("FOA", "Foarfecă de vie"),
    ),
    "Bucătărie": (
        ("TIG", "Tigaie de fontă"),
        ("OAL", "Oală sub presiune"),
        ("CUT", "Cuțit de bucătar"),
        ("TOC", "Tocător de stejar"),
        ("RAS", "Râșniță de cafea"),
    ),
    "Papetărie": (
        ("CAI", "Caiet dictando"),
        ("PIX", "Pix cu gel"),
        ("DOS", "Dosar cu șină"),
        ("HAR", "Hârtie pentru copiator"),
        ("AGE", "Agendă săptămânală"),
    ),
    "Îmbrăcăminte": (
        ("TRI", "Tricou din bumbac"),
        ("SOS", "Șosete groase"),
        ("FUL", "Fular de lână"),
        ("MAN", "Mănuși de lucru"),
        ("SAL", "Salopetă cu pieptar"),
    ),
}
SUFFIXES = ("", "Clasic", "Plus", "Eco", "Profesional", "Compact")
COLOURS = (("RO", "roșu"), ("AL", "albastru"), ("VE", "verde"), ("GR", "gri închis"))

FIRST_NAMES = (
    "Ioana",
    "Andrei",
    "Ștefania",
    "Mihai",
    "Țuța",
    "Răzvan",
    "Ilinca",
    "Cătălin",
    "Brândușa",
    "Sânziana",
    "Oana",
)
LAST_NAMES = (
    "Șerban",
    "Țăranu",
    "Ionescu",
    "Pădureanu",
    "Mănescu",
    "Bălan",
    "Crăciun",
    "Stanciu",
    "Găină",
    "Vișan",
    "Popa",
)
COMPANIES = (
    "Atelierul Verde SRL",
    "Șantier Nord SRL",
    "Brutăria Țărănească SRL",
    "Două Mâini SRL",
    "Instalații Bănești SA",
    "Librăria Învățătorului SRL",
)
PLACES = (
    ("Cluj-Napoca", "Cluj", "400001"),
    ("Iași", "Iași", "700028"),
    ("Timișoara", "Timiș", "300001"),
    ("București", "București", "010011"),
    ("Târgu Mureș", "Mureș", "540001"),
    ("Constanța", "Constanța", "900001"),
    ("Bistrița", "Bistrița-Năsăud", "420001"),
    ("Piatra-Neamț", "Neamț", "610001"),
)
STREETS = ("Str. Lungă", "Bd. Unirii", "Aleea Stejarilor", "Str. Școlii", "Calea Țărmului", "Str. Înfrățirii")

WITH_CEDILLA = str.maketrans("șțȘȚ", "şţŞŢ")
"""The older encoding of the same letters, which half of the Romanian systems still write."""
