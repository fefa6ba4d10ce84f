#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The generators: a faulty description is refused with file and line; output is the same each time."""
import os
import pathlib
import subprocess
import sys
import tempfile

import gxtap

SCRIPTS = os.path.join(gxtap.top_srcdir(), "scripts")

FAULTS = (
    ("struct s\n\ta\tu9\n", "t.def:2: unknown type u9"),
    ("\ta\tu8\n", "t.def:1: a field outside of a struct"),
    ("struct s\n\ta\tu8\n\ta\tu8\n", "t.def:3: a twice"),
    ("struct s\n\ta\tu8\n\tif b\n\t\tc\tu8\n", "t.def:3: struct s: no field b"),
    ("struct s\n\ta\tu8\n\telse\n\t\tc\tu8\n", "t.def:3: else without if"),
    ("struct s\n\tb\tbytes\n", "t.def:2: bytes needs a size"),
    ("struct s\n\tn\tu8\tlarge\n", "t.def:2: unknown word large"),
    ("struct s\n\tn\tu16be\tcount_of v\n\tv\tu8[n]\n", "n must be u8, u16 or u32"),
    ("struct s\n\tv\tu8[u8]\n\tn\tu8\tcount_of v\n", "n must stand before v"),
    ("struct s\n\tn\tu8\tcount_of v\n\tv\tu8[u8]\n", "v does not use n"),
    ("struct s\n\tn\tu8\n\tv\tu8[n]\n", "n is neither count_of nor len_of"),
    ("struct s\n\ta\tu8\t= 1\n", "struct s: no member"),
    ("struct s\n\ta\tu8\nstruct s\n\ta\tu8\n", "t.def:3: s exists"),
    ("struct s\n\ta\ts\n", "t.def:2: unknown type s"),
    ("nonsense\n", "t.def:1: unknown word nonsense"),
    ("struct s\n" + "".join(f"\tf{i}\tu8\n" for i in range(65)), "more than 64 fields"),
    ("struct s\n\ta\tu8\n\tif a == 1,2,3,4,5,6,7\n\t\tb\tu8\n", "t.def:3: more than 6 values"),
    ("struct s\n\ta\tstr8[3]<u8>\n", "t.def:2: arrays of fixed length"),
    ("struct s\n\ta\topt(u8)[u8]\n", "t.def:2: an optional value is no array"),
    ("struct s\n\ta\topt(u8[u8])\n", "t.def:2: u8 cannot be optional"),
    ("struct s\n\ta\topt(bytes<3>)\n", "t.def:2: bytes of fixed size cannot be optional"),
    ("struct s\n\ta\topt(u8)\n\tif a\n\t\tb\tu8\n", "t.def:3: a is not a number"),
    ("type v u8[u8]\nstruct s\n\ta\tv[u8]\n", "t.def:3: v cannot be used so"),
    ("type u8 u16\n", "t.def:1: u8 exists"),
    ("call c 0x01\n", "t.def:1: a call needs a prefix"),
    ("prefix p\ncall c 0x101\n", "t.def:2: 0x101 is taken or not a byte"),
    ("prefix p\ncall c 0x01\nretired d 0x01\n", "t.def:3: 0x01 is taken or not a byte"),
    ("prefix p\ncall c 0x01\ncall c 0x02\n", "t.def:3: c exists"),
    ("prefix p\ncall c 0x01\n\ta\tu8\n", "t.def:3: request or answer expected"),
    ("prefix p\ncall c 0x01\n\tanswer\n\t\ta\tu8\n\tanswer\n", "t.def:5: request or answer expected"),
    ("prefix p\nretired c 0x01\n\trequest\n\t\ta\tu8\n", "t.def:3: a field outside of a struct"),
)


def generate(script, *args):
    return subprocess.run([sys.executable, os.path.join(SCRIPTS, script), *args], capture_output=True, text=True,
                          env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})


def test_faulty_descriptions_are_refused():
    with tempfile.TemporaryDirectory() as d:
        source, out = os.path.join(d, "t.def"), os.path.join(d, "t.h")
        for text, message in FAULTS:
            with open(source, "w", encoding="utf-8") as f:
                f.write(text)
            r = generate("gen-defs.py", "types", source, out)
            assert r.returncode != 0, text
            assert message in r.stderr, (message, r.stderr)
            assert "Traceback" not in r.stderr, r.stderr
            assert not os.path.exists(out), text


def test_output_is_the_same_each_time():
    top = gxtap.top_srcdir()
    made = (("gen-proptags.py", top, "proptag.h"), ("gen-namedprops.py", top, "namedprop-table.h"),
            ("gen-errors.py", top, "ec-table.h"), ("gen-guids.py", top, "guids.h"),
            ("gen-ftx.py", top, "ftx-codes.h"), ("gen-ftx.py", top, "ftx-grammar-table.h"))
    with tempfile.TemporaryDirectory() as d:
        for script, arg, name in made:
            texts = []
            for sub in ("a", "b"):
                out = os.path.join(d, sub, name)
                r = generate(script, arg, out)
                assert r.returncode == 0, r.stderr
                with open(out, encoding="utf-8") as f:
                    texts.append(f.read())
            assert texts[0] == texts[1] and len(texts[0]) > 1000, name


def test_list_of_calls_is_in_step():
    top = gxtap.top_srcdir()
    with tempfile.TemporaryDirectory() as d:
        out = os.path.join(d, "store-calls.md")
        r = generate("gen-calls.py", "doc", top, out)
        assert r.returncode == 0, r.stderr
        with open(out, encoding="utf-8") as f, open(os.path.join(top, "docs", "store-calls.md"), encoding="utf-8") as g:
            assert f.read() == g.read(), "make it anew: scripts/gen-calls.py doc . docs/store-calls.md"


def test_every_call_is_tested():
    r = generate("gen-calls.py", "missing", gxtap.top_srcdir())
    assert r.returncode == 0, r.stdout + r.stderr


def test_list_of_operations_is_in_step():
    top = gxtap.top_srcdir()
    with tempfile.TemporaryDirectory() as d:
        out = os.path.join(d, "rops.md")
        r = generate("gen-ropdoc.py", "doc", top, out)
        assert r.returncode == 0, r.stderr
        with open(out, encoding="utf-8") as f, open(os.path.join(top, "docs", "rops.md"), encoding="utf-8") as g:
            assert f.read() == g.read(), "make it anew: scripts/gen-ropdoc.py doc . docs/rops.md"


def test_rules_of_the_address_book_are_in_step():
    top = gxtap.top_srcdir()
    with tempfile.TemporaryDirectory() as d:
        out = os.path.join(d, "nspi.md")
        r = generate("gen-nspidoc.py", top, out)
        assert r.returncode == 0, r.stderr
        with open(out, encoding="utf-8") as f, open(os.path.join(top, "docs", "nspi.md"), encoding="utf-8") as g:
            assert f.read() == g.read(), "make it anew: scripts/gen-nspidoc.py . docs/nspi.md"


def test_operations_are_seen_to_succeed_and_to_fail():
    r = generate("gen-ropdoc.py", "missing", gxtap.top_srcdir())
    assert r.returncode == 0, r.stdout + r.stderr


# What tests look like, and what is found in them.
TEST_IN_C = """
static gx_ec ask(int x)
{
	return et_do(RopAsk, x, (struct q){1, 2}, NULL);
}

static void helper(void)
{
	ST_OK(et_do(RopHelp, 0, NULL));
}

START_TEST(first)
{
	const struct { uint8_t rop; uint32_t code; } t[] = {{RopRow, ecNotFound}, {RopFine, ecSuccess}};
	static const uint8_t all[] = {RopOne, RopTwo};
	helper();
	ST_OK(ask(1)); /* ST_OK(et_do(RopComment)); */
	ST_IS(ask(2), ecNotFound);
	ST_IS(et_do(RopWarn, 0), ecWarnWithErrors);
	ck_assert(gx_ec_failed(et_do(RopBad, 0, f(1, 2))));
	ck_assert(!gx_ec_failed(et_do(RopGood, 0)));
	for (i = 0; i < 2; ++i)
		ST_IS(et_do(t[i].rop, 0), t[i].code);
	for (i = 0; i < 2; ++i)
		ST_IS(et_do(all[i], 0), ecNotSupported);
}
END_TEST
"""


def test_what_tests_expect_is_found():
    sys.dont_write_bytecode = True
    sys.path.insert(0, SCRIPTS)
    import ctests
    with tempfile.TemporaryDirectory() as d:
        path = pathlib.Path(d) / "check_x.c"
        path.write_text(TEST_IN_C, encoding="utf-8")
        good, bad, named = ctests.evidence([path], path.parent)
    assert set(good) == {"RopAsk", "RopHelp", "RopWarn", "RopGood", "RopFine"}, good
    assert set(bad) == {"RopAsk", "RopBad", "RopRow", "RopOne", "RopTwo"}, bad
    assert good["RopHelp"] == {path: "first"} and "RopComment" not in named


if __name__ == "__main__":
    gxtap.main(globals())
