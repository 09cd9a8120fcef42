"""Makes the fonts of printed documents (internal/typography/font) again.

Needs fontTools 4.38 or later (Debian: python3-fonttools) and the package fonts-dejavu-core 2.37.
Run at the root: python3 scripts/fonts.py /usr/share/fonts/truetype/dejavu

- wide-regular.ttf, wide-bold.ttf: DejaVu Sans without hinting and layout tables, cut to the scripts that
  can be set without shaping rules (Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew), to Arabic with its
  presentation forms, and to the signs of medicine, arrows, boxes and mathematics.
  U+E001 stands for the lam of a lam-alef (internal/typography/arabic.go): an empty glyph of LAM units that the ligatures
  give up on their right, since readers of PDF files take two signs at one place for one sign printed twice.
  No combining mark moves what follows it.
- regular.ttf, bold.ttf (Atkinson Hyperlegible Next, latin and latin-ext): U+00B5, U+2010 and U+2011 are
  given the glyphs of U+03BC and U+002D, which have the same drawing.
"""
import sys
import unicodedata
from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._g_l_y_f import Glyph

RANGES = [(0x20, 0x52F), (0x531, 0x58F), (0x590, 0x5FF), (0x600, 0x6FF), (0x10A0, 0x10FF), (0x1D00, 0x1DBF), (0x1E00, 0x1FFF),
          (0x2000, 0x200A), (0x200C, 0x200D), (0x2010, 0x2027), (0x202F, 0x205F), (0x2070, 0x20CF), (0x2100, 0x218F), (0x2190, 0x23FF),
          (0x2460, 0x24FF), (0x25A0, 0x25FF), (0x2600, 0x2603), (0x2605, 0x2606), (0x2610, 0x2613), (0x2620, 0x2623), (0x2639, 0x263A),
          (0x263F, 0x2647), (0x2660, 0x2667), (0x266D, 0x266F), (0x2690, 0x269C), (0x26A0, 0x26A9), (0x2701, 0x27BF),
          (0x27C0, 0x27FF), (0x2900, 0x297F), (0x2A7D, 0x2A7E), (0x2C60, 0x2C7F), (0xA720, 0xA7FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC)]
OUT = "internal/typography/font/"
LAM = 512  # a quarter of an em

for name, out in (("DejaVuSans", "wide-regular"), ("DejaVuSans-Bold", "wide-bold")):
    o = subset.Options()
    o.layout_features, o.hinting, o.notdef_outline, o.glyph_names, o.legacy_kern = [], False, True, False, False
    o.drop_tables += ["GSUB", "GPOS", "GDEF", "kern", "FFTM", "gasp", "MATH"]
    o.name_IDs, o.recalc_timestamp = ["*"], False
    font = subset.load_font(sys.argv[1] + "/" + name + ".ttf", o)
    s = subset.Subsetter(o)
    s.populate(unicodes=[u for a, b in RANGES for u in range(a, b + 1)])
    s.subset(font)
    widths, names = font["hmtx"].metrics, font.getBestCmap()
    for u, glyph in names.items():
        width, left = widths[glyph]
        if unicodedata.category(chr(u)).startswith("M"):
            widths[glyph] = (0, left)
        elif 0xFEF5 <= u <= 0xFEFC:
            widths[glyph] = (width - LAM, left)
    font.setGlyphOrder(font.getGlyphOrder() + ["lam"])
    font["glyf"]["lam"], widths["lam"] = Glyph(), (LAM, 0)
    for table in font["cmap"].tables:
        if 0x200D in table.cmap:
            table.cmap[0xE001] = "lam"
    subset.save_font(font, OUT + out + ".ttf", o)

for name in ("regular", "bold"):
    font = TTFont(OUT + name + ".ttf", recalcTimestamp=False)
    for table in font["cmap"].tables:
        for new, old in ((0xB5, 0x3BC), (0x2010, 0x2D), (0x2011, 0x2D)):
            table.cmap[new] = table.cmap[old]
    font.save(OUT + name + ".ttf")
