/* SPDX-License-Identifier: Apache-2.0 */
/* Single elements of streams, made and taken apart; what is refused. */
#include <config.h>
#include "tests/gxtest.h"
#include "libgxmapi/ftx/ftxtest.h"

static struct gx_arena *a;

static void setup(void)
{
	a = gx_arena_new(0);
}

static void teardown(void)
{
	gx_arena_free(a);
}

static void check_bytes(struct gx_ftx_out *out, const char *want, size_t n)
{
	struct gx_bin b = ftx_drain(a, out);
	ck_assert_uint_eq(b.len, n);
	ck_assert_mem_eq(b.data, want, n);
	gx_ftx_out_free(out);
}

#define CHECK_BYTES(out, want) check_bytes((out), (want), sizeof(want) - 1)
#define VALUE(member, x) (&(union gx_value){.member = (x)})

START_TEST(bytes_of_elements)
{
	struct gx_ftx_out *out = ftx_new_out(GX_FTX_SEND_UNICODE, GX_FTX_ANY);
	ck_assert_int_eq(gx_ftx_out_marker(out, StartMessage), 0);
	ck_assert_int_eq(gx_ftx_out_prop(out, PidTagImportance, NULL, VALUE(i32, 2)), 0);
	ck_assert_int_eq(gx_ftx_out_prop(out, PidTagReadReceiptRequested, NULL, VALUE(b, true)), 0);
	ck_assert_int_eq(gx_ftx_out_prop(out, PidTagSubject, NULL, VALUE(str, "Hi")), 0);
	ck_assert_int_eq(gx_ftx_out_bin(out, PidTagParentSourceKey, NULL, 0), 0);
	ck_assert_int_eq(gx_ftx_out_bin(out, MetaTagIdsetGiven, "\1", 1), 0);
	ck_assert_int_eq(gx_ftx_out_u32(out, MetaTagFXDelProp, 0x0E12000D), 0);
	CHECK_BYTES(out, "\x03\0\x0c\x40" "\x03\0\x17\0\2\0\0\0" "\x0b\0\x29\0\1\0" "\x1f\0\x37\0\6\0\0\0H\0i\0\0\0"
		"\x02\x01\xe1\x65\0\0\0\0" "\x03\0\x17\x40\1\0\0\0\1" "\x03\0\x16\x40\x0d\0\x12\x0e");
}
END_TEST

START_TEST(bytes_of_named_and_multiple_properties)
{
	struct gx_ftx_out *out = ftx_new_out(GX_FTX_SEND_UNICODE, GX_FTX_ANY);
	const struct gx_propname lid = {.set = {.d1 = 1}, .lid = 0x8501};
	const struct gx_propname str = {.set = {.d1 = 2}, .by_name = true, .name = "k"};
	union gx_value s[] = {{.str = "a"}, {.str = ""}}, n[] = {{.i16 = 1}, {.i16 = -1}};
	ck_assert_int_eq(gx_ftx_out_prop(out, 0x80010003, &lid, VALUE(i32, 7)), 0);
	ck_assert_int_eq(gx_ftx_out_prop(out, 0x8002101f, &str, &(union gx_value){.mv = {s, 2}}), 0);
	ck_assert_int_eq(gx_ftx_out_prop(out, 0x00101002, NULL, &(union gx_value){.mv = {n, 2}}), 0);
	CHECK_BYTES(out, "\x03\0\x01\x80" "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "\0" "\x01\x85\0\0" "\7\0\0\0"
		"\x1f\x10\x02\x80" "\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" "\1" "k\0\0\0" "\2\0\0\0" "\4\0\0\0a\0\0\0" "\2\0\0\0\0\0"
		"\x02\x10\x10\0" "\2\0\0\0" "\1\0\xff\xff");
}
END_TEST

static const struct {
	uint32_t send_options;
	uint16_t type;
	const char *want;       /* from the type on, without the id */
	size_t size;
} forms[] = {
	{0, PtypString, "\x1e\0" "\2\0\0\0\xe4\0", 8},
	{0, PtypString8, "\x1e\0" "\2\0\0\0\xe4\0", 8},
	{GX_FTX_SEND_UNICODE, PtypString, "\x1f\0" "\4\0\0\0\xe4\0\0\0", 10},
	{GX_FTX_SEND_UNICODE, PtypString8, "\x1e\0" "\2\0\0\0\xe4\0", 8},
	{GX_FTX_SEND_FORCE_UNICODE, PtypString8, "\x1f\0" "\4\0\0\0\xe4\0\0\0", 10},
	{GX_FTX_SEND_FOR_UPLOAD, PtypString, "\xb0\x84" "\4\0\0\0\xe4\0\0\0", 10},
	{GX_FTX_SEND_FOR_UPLOAD, PtypString8, "\xe4\x84" "\2\0\0\0\xe4\0", 8},
	{GX_FTX_SEND_FOR_UPLOAD | GX_FTX_SEND_FORCE_UNICODE, PtypString8, "\xb0\x84" "\4\0\0\0\xe4\0\0\0", 10},
};

START_TEST(forms_of_strings)
{
	/* by a copy and by a reader */
	for (size_t large = 0; large < 2; ++large) {
		struct gx_ftx_out *out = ftx_new_out(forms[_i].send_options, GX_FTX_ANY);
		struct ftx_elem e = {.tag = GX_PROP_TAG(0x37, forms[_i].type), .v.str = "\xc3\xa4"};
		ck_assert_int_eq(ftx_put(out, &e, large ? 1 : 1000), 0);
		struct gx_bin b = ftx_drain(a, out);
		ck_assert_uint_eq(b.len, forms[_i].size + 2);
		ck_assert_mem_eq(b.data, forms[_i].want, 2);
		ck_assert_mem_eq(b.data + 4, forms[_i].want + 2, forms[_i].size - 2);
		struct ftx_list l = ftx_take(a, &b, &(struct gx_ftx_in_opts){0}, &ftx_keep);
		ck_assert_uint_eq(l.n, 1);
		ck_assert_str_eq(l.v[0].v.str, "\xc3\xa4");
		ck_assert_uint_eq(l.v[0].wire_type, b.data[0] | b.data[1] << 8);
		gx_ftx_out_free(out);
	}
}
END_TEST

/*
 * The first part of a hierarchy download from an Exchange server, as printed in Microsoft's article "How to parse
 * the FastTransfer Stream" of its Open Specifications weblog.
 */
static const uint8_t sample[] = {
	0x03, 0x00, 0x12, 0x40, 0x02, 0x01, 0xe1, 0x65, 0x00, 0x00, 0x00, 0x00, 0x02, 0x01, 0xe0, 0x65,
	0x16, 0x00, 0x00, 0x00, 0x52, 0xf6, 0x85, 0xec, 0x7d, 0x43, 0x2e, 0x4a, 0xa9, 0x60, 0x34, 0x50,
	0x88, 0x53, 0xd9, 0x0a, 0x00, 0x00, 0x00, 0x00, 0x03, 0xf5, 0x40, 0x00, 0x08, 0x30, 0x00, 0xd0,
	0x9e, 0xa8, 0x81, 0x85, 0xd0, 0x01, 0x02, 0x01, 0xe2, 0x65, 0x16, 0x00, 0x00, 0x00, 0x52, 0xf6,
	0x85, 0xec, 0x7d, 0x43, 0x2e, 0x4a, 0xa9, 0x60, 0x34, 0x50, 0x88, 0x53, 0xd9, 0x0a, 0x00, 0x00,
	0x00, 0x00, 0x20, 0x7c, 0x02, 0x01, 0xe3, 0x65, 0x17, 0x00, 0x00, 0x00, 0x16, 0x52, 0xf6, 0x85,
	0xec, 0x7d, 0x43, 0x2e, 0x4a, 0xa9, 0x60, 0x34, 0x50, 0x88, 0x53, 0xd9, 0x0a, 0x00, 0x00, 0x00,
	0x00, 0x20, 0x7c, 0x1f, 0x00, 0x01, 0x30, 0x0c, 0x00, 0x00, 0x00, 0x49, 0x00, 0x4e, 0x00, 0x42,
	0x00, 0x4f, 0x00, 0x58, 0x00, 0x00, 0x00, 0x14, 0x00, 0x49, 0x67, 0x01, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x03, 0xf4, 0x03, 0x00, 0x39, 0x66, 0xfb, 0x03, 0x00, 0x00, 0x40, 0x00, 0x07, 0x30, 0x80,
	0x39, 0x06, 0xa8, 0x81, 0x85, 0xd0, 0x01, 0x0b, 0x00, 0xf4, 0x10, 0x00, 0x00,
};

START_TEST(sample_of_a_server)
{
	struct ftx_list l = {.a = a};
	struct gx_ftx_in *in = gx_ftx_in_new(&(struct gx_ftx_in_opts){.root = GX_FTX_HIERARCHY_SYNC}, &ftx_keep, &l);
	uint8_t *copy = gxtest_exact(sample, sizeof(sample));
	ck_assert_msg(gx_ftx_in_write(in, copy, sizeof(sample), NULL) == 0, "%s", gx_ftx_in_text(in));
	ck_assert_uint_eq(l.n, 11);
	ck_assert_uint_eq(l.v[0].tag, IncrSyncChg);
	ck_assert_uint_eq(l.v[1].tag, PidTagParentSourceKey);
	ck_assert_uint_eq(l.v[1].v.bin.len, 0);
	ck_assert_uint_eq(l.v[2].v.bin.len, 22);
	ck_assert_uint_eq(l.v[6].tag, PidTagDisplayName);
	ck_assert_str_eq(l.v[6].v.str, "INBOX");
	ck_assert_uint_eq(l.v[8].v.i32, 0x3fb);
	ck_assert_uint_eq(l.v[10].tag, PidTagAttributeHidden);
	ck_assert(!l.v[10].v.b);
	ck_assert_int_eq(gx_ftx_in_end(in), GX_E_TRUNC);
	ck_assert_str_eq(gx_ftx_in_text(in), "byte 173: expected IncrSyncChg, IncrSyncDel, IncrSyncStateBegin, a property in "
		"hierarchySync, found the end");
	gx_ftx_in_free(in);
	free(copy);
	struct gx_ftx_out *out = ftx_new_out(GX_FTX_SEND_UNICODE, GX_FTX_HIERARCHY_SYNC);
	for (size_t i = 0; i < l.n; ++i)
		ck_assert_int_eq(ftx_put(out, &l.v[i], SIZE_MAX), 0);
	check_bytes(out, (const char *)sample, sizeof(sample));
}
END_TEST

#define IN(s) s, sizeof(s) - 1
static const struct {
	struct gx_ftx_in_opts o;
	const char *data;
	size_t size;
	int err;
	const char *text;
} bad[] = {
	{{0}, IN("\x03\0\x0c\x40\x00\0\x37\0"), GX_E_FORMAT, 
		"byte 4: expected a marker or a property, found id 0x0037 type 0x0000"},
	{{0}, IN("\xfd\0\x37\0"), GX_E_FORMAT, "byte 0: expected a marker or a property, found id 0x0037 type 0x00fd"},
	{{0}, IN("\xfe\0\x37\0"), GX_E_FORMAT, "byte 0: expected a marker or a property, found id 0x0037 type 0x00fe"},
	{{0}, IN("\x1f\x30\x37\0"), GX_E_FORMAT, "byte 0: expected a marker or a property, found id 0x0037 type 0x301f"},
	{{0}, IN("\x02\x01\x0c\x40"), GX_E_FORMAT, "byte 0: expected a marker or a property, found id 0x400c type 0x0102"},
	{{0}, IN("\x02\x01\x16\x40"), GX_E_FORMAT, "byte 0: MetaTagFXDelProp with type 0x0102"},
	{{0}, IN("\x03\0\x01\x80" "0123456789abcdef" "\2"), GX_E_FORMAT, 
		"byte 0: expected kind 0 or 1 of a property's name, found 2"},
	{{0}, IN("\x1f\0\x37\0\3\0\0\0abc"), GX_E_FORMAT, "byte 0: half a character at the end of a string"},
	{{0}, IN("\x02\x01\x37\0\0\0\0\x80"), GX_E_LIMIT, "byte 0: a value of 2147483648 bytes, at most 2147483647 are taken"},
	{{.max_value = 3}, IN("\x02\x01\x37\0\4\0\0\0"), GX_E_LIMIT, "byte 0: a value of 4 bytes, at most 3 are taken"},
	{{.max_multi = 8}, IN("\x03\x10\x37\0\3\0\0\0"), GX_E_LIMIT, "byte 0: 3 values take more than 8 bytes"},
	{{.max_multi = 8}, IN("\x02\x11\x37\0\1\0\0\0\5\0\0\0"), GX_E_LIMIT, "byte 0: a multi-value of more than 8 bytes"},
	{{0}, IN("\x02\x11\x37\0\xff\xff\xff\xff"), GX_E_LIMIT, "byte 0: 4294967295 values take more than 1048576 bytes"},
	{{.max_total = 7}, IN("\x03\0\x0c\x40\x03\0\x0d\x40"), GX_E_LIMIT, "byte 0: more than 7 bytes"},
	{{.max_elements = 1}, IN("\x03\0\x0c\x40\x03\0\x0d\x40"), GX_E_LIMIT, "byte 4: more than 1 elements"},
	{{0}, IN("\x03\0\x0c"), GX_E_TRUNC, "byte 0: the stream ends within this element"},
	{{.root = GX_FTX_MESSAGE_CONTENT}, IN("\x03\0\x16\x40\0\0\0\0"), GX_E_FORMAT,
		"byte 0: MetaTagFXDelProp 0x00000000 stands for no kind of object"},
	{{.root = GX_FTX_MESSAGE_CONTENT}, IN("\x03\0\x03\x40\x03\0\x09\x40"), GX_E_FORMAT,
		"byte 4: expected EndToRecip, a property in recipient, found StartTopFld"},
	{{.root = GX_FTX_MESSAGE_CONTENT}, IN("\x03\0\x03\x40\x02\x01\x17\x40"), GX_E_FORMAT,
		"byte 4: expected EndToRecip, a property in recipient, found MetaTagIdsetGiven"},
	{{.root = GX_FTX_MESSAGE_LIST, .max_depth = 1}, IN("\x03\0\x0c\x40\x03\0\x03\x40"), GX_E_DEPTH,
		"byte 4: expected EndMessage, StartRecip, NewAttach, MetaTagDnPrefix, MetaTagFXDelProp, a property "
		"in message, found StartRecip"},
};

START_TEST(refused_streams)
{
	struct ftx_list l = {.a = a};
	/* all at once, and byte by byte */
	for (int bytes = 0; bytes < 2; ++bytes) {
		struct gx_ftx_in *in = gx_ftx_in_new(&bad[_i].o, &ftx_keep, &l);
		uint8_t *copy = gxtest_exact(bad[_i].data, bad[_i].size);
		int err = 0;
		for (size_t i = 0; i < bad[_i].size && err == 0; i += bytes ? 1 : bad[_i].size)
			err = gx_ftx_in_write(in, copy + i, bytes ? 1 : bad[_i].size, NULL);
		if (err == 0)
			err = gx_ftx_in_end(in);
		ck_assert_int_eq(err, bad[_i].err);
		if (bad[_i].o.max_total == 0 || !bytes)
			ck_assert_str_eq(gx_ftx_in_text(in), bad[_i].text);
		ck_assert_int_eq(gx_ftx_in_write(in, "", 1, NULL), err);
		ck_assert_int_eq(gx_ftx_in_end(in), err);
		gx_ftx_in_free(in);
		free(copy);
	}
}
END_TEST

START_TEST(names_have_a_limit)
{
	struct ftx_list l = {.a = a};
	struct gx_ftx_in *in = gx_ftx_in_new(&(struct gx_ftx_in_opts){0}, &ftx_keep, &l);
	char head[21] = "\x03\0\x01\x80", name[600];
	head[20] = 1;
	ck_assert_int_eq(gx_ftx_in_write(in, head, sizeof(head), NULL), 0);
	memset(name, 'a', sizeof(name));
	ck_assert_int_eq(gx_ftx_in_write(in, name, 600, NULL), 0);
	ck_assert_int_eq(gx_ftx_in_write(in, name, 600, NULL), GX_E_LIMIT);
	ck_assert_str_eq(gx_ftx_in_text(in), "byte 0: a property's name of more than 1024 bytes");
	gx_ftx_in_free(in);
	struct gx_ftx_out *out = ftx_new_out(0, GX_FTX_ANY);
	struct gx_propname n = {.by_name = true, .name = name};
	name[511] = '\0';
	ck_assert_int_eq(gx_ftx_out_prop(out, 0x80010003, &n, VALUE(i32, 1)), 0);
	name[511] = 'a';
	name[512] = '\0';
	ck_assert_int_eq(gx_ftx_out_prop(out, 0x80010003, &n, VALUE(i32, 1)), GX_E_RANGE);
	struct gx_bin b = ftx_drain(a, out);
	gx_ftx_out_free(out);
	l = ftx_take(a, &b, &(struct gx_ftx_in_opts){0}, &ftx_keep);
	ck_assert_uint_eq(l.n, 1);
	ck_assert_uint_eq(strlen(l.v[0].name.name), 511);
}
END_TEST

static int own_error(const struct gx_ftx_prop *p, void *ctx)
{
	(void)p;
	(void)ctx;
	return GX_E_NOSPACE;
}

START_TEST(errors_of_events)
{
	static const struct gx_ftx_in_ops ops = {.prop = own_error}, no_prop = {0};
	const struct gx_ftx_in_ops no_end = {.prop = own_error, .begin = ftx_keep.begin};
	struct gx_ftx_in_opts o = {0};
	struct gx_ftx_in *in = gx_ftx_in_new(&o, &ops, NULL);
	ck_assert_int_eq(gx_ftx_in_write(in, sample, sizeof(sample), NULL), GX_E_NOSPACE);
	ck_assert_int_eq(gx_ftx_in_end(in), GX_E_NOSPACE);
	gx_ftx_in_free(in);
	gx_ftx_in_free(NULL);
	ck_assert_ptr_null(gx_ftx_in_new(&o, &no_prop, NULL));
	ck_assert_ptr_null(gx_ftx_in_new(&o, &no_end, NULL));
	o.root = GX_FTX_ROOTS;
	ck_assert_ptr_null(gx_ftx_in_new(&o, &ops, NULL));
}
END_TEST

START_TEST(elements_that_cannot_be_put)
{
	struct gx_ftx_out *out = ftx_new_out(GX_FTX_SEND_UNICODE, GX_FTX_MESSAGE_CONTENT);
	const struct gx_propname n = {.lid = 1}, no_name = {.by_name = true};
	struct gx_ftx_reader r = {0};
	ck_assert_int_eq(gx_ftx_out_marker(out, PidTagSubject), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_out_marker(out, MetaTagEcWarning), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_out_marker(out, EndMessage), GX_E_FORMAT);
	ck_assert_str_eq(gx_ftx_out_text(out), "expected StartRecip, NewAttach, MetaTagDnPrefix, MetaTagFXDelProp, "
		"a property, the end in messageContent, found EndMessage");
	ck_assert_int_eq(gx_ftx_out_prop(out, 0x001000fd, NULL, VALUE(restr, NULL)), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_out_prop(out, 0x0010301f, NULL, VALUE(str, "")), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_out_prop(out, 0x00100000, NULL, VALUE(i32, 0)), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_out_prop(out, 0x40170003, NULL, VALUE(i32, 0)), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_out_prop(out, StartMessage, NULL, VALUE(i32, 0)), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_out_prop(out, 0x80010003, NULL, VALUE(i32, 0)), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_out_prop(out, 0x80010003, &no_name, VALUE(i32, 0)), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_out_prop(out, PidTagImportance, &n, VALUE(i32, 0)), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_out_prop(out, PidTagSubject, NULL, VALUE(str, NULL)), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_out_u32(out, MetaTagFXDelProp, PidTagSubject), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_out_u32(out, PidTagSubject, 1), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_out_bin(out, PidTagSubject, "", 1), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_out_struct(out, 0x00000102, GX_FTX_STRUCTS, &n), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_out_large(out, PidTagImportance, NULL, &r), GX_E_INVAL);
	ck_assert_int_eq(gx_ftx_out_error(out, &(struct gx_extended_error_info){0}), GX_E_FORMAT);
	r.size = UINT64_C(1) << 32;
	ck_assert_int_eq(gx_ftx_out_large(out, PidTagAttachDataBinary, NULL, &r), GX_E_RANGE);
	/* nothing of all that is left behind */
	ck_assert_int_eq(gx_ftx_out_prop(out, PidTagImportance, NULL, VALUE(i32, 2)), 0);
	ck_assert_int_eq(gx_ftx_out_end(out), 0);
	ck_assert_int_eq(gx_ftx_out_marker(out, StartRecip), GX_E_STATE);
	CHECK_BYTES(out, "\x03\0\x17\0\2\0\0\0");
	gx_ftx_out_free(NULL);
}
END_TEST

struct source {
	int left, error;
};

static int next_element(struct gx_ftx_out *out, void *ctx)
{
	struct source *s = ctx;
	if (s->left-- == 0)
		return s->error;
	int err = gx_ftx_out_prop(out, PidTagSubject, NULL, VALUE(str, "subject"));
	return err != 0 ? err : 1;
}

START_TEST(elements_by_callback)
{
	struct source s = {3, 0};
	struct gx_ftx_out_opts o = {.root = GX_FTX_MESSAGE_CONTENT, .next = next_element, .ctx = &s};
	struct gx_ftx_out *out = gx_ftx_out_new(&o);
	uint8_t buf[16];
	size_t n;
	for (int i = 0; i < 3; ++i) {
		ck_assert(!gx_ftx_out_done(out));
		/* less than an atom: nothing is lost */
		ck_assert_int_eq(gx_ftx_out_read(out, buf, 3, &n), GX_E_LIMIT);
		ck_assert_int_eq(gx_ftx_out_read(out, buf, 16, &n), 0);
		ck_assert_uint_eq(n, 16);
	}
	/* known with the last buffer, not one later */
	ck_assert(gx_ftx_out_done(out));
	ck_assert_int_eq(gx_ftx_out_read(out, buf, 16, &n), 0);
	ck_assert_uint_eq(n, 0);
	gx_ftx_out_free(out);
	s = (struct source){1, GX_E_IO};
	out = gx_ftx_out_new(&o);
	ck_assert_int_eq(gx_ftx_out_read(out, buf, 15, &n), 0);
	ck_assert_int_eq(gx_ftx_out_read(out, buf, 16, &n), GX_E_IO);
	ck_assert_int_eq(gx_ftx_out_read(out, buf, 16, &n), GX_E_IO);
	ck_assert(!gx_ftx_out_done(out));
	gx_ftx_out_free(out);
	s = (struct source){0, 0};
	o.root = GX_FTX_STATE;
	out = gx_ftx_out_new(&o);
	ck_assert_int_eq(gx_ftx_out_read(out, buf, 16, &n), GX_E_FORMAT);
	ck_assert_str_eq(gx_ftx_out_text(out), "expected IncrSyncStateBegin in state, found the end");
	gx_ftx_out_free(out);
}
END_TEST

START_TEST(structures_and_errors)
{
	struct gx_ftx_out *out = ftx_new_out(GX_FTX_SEND_RECOVER_MODE, GX_FTX_MESSAGE_LIST);
	struct gx_extended_error_info e = {.error_code = 0x8004010f, .aux_bytes_count = 2, .aux_bytes_offset = 89,
		.rest = {(const uint8_t *)"xyz", 3}}, back;
	struct gx_dctx x = GX_DCTX(a);
	ck_assert_int_eq(gx_ftx_out_marker(out, StartMessage), 0);
	ck_assert_int_eq(gx_ftx_out_error(out, &e), 0);
	ck_assert_int_eq(gx_ftx_out_end(out), 0);
	struct gx_bin b = ftx_drain(a, out);
	gx_ftx_out_free(out);
	struct gx_ftx_in_opts o = {.root = GX_FTX_MESSAGE_LIST, .send_options = GX_FTX_SEND_RECOVER_MODE};
	struct ftx_list l = ftx_take(a, &b, &o, &ftx_keep);
	ck_assert_uint_eq(l.n, 3);
	ck_assert_uint_eq(l.v[1].tag, FXErrorInfo);
	ck_assert_uint_eq(l.v[2].v.bin.len, GX_FTX_ERROR_AUX_OFFSET + 3);
	struct gx_bin info = l.v[2].v.bin;
	ck_assert_int_eq(gx_desc_decode(&x, gx_ftx_desc(GX_FTX_EXTENDED_ERROR_INFO), info.data, info.len, &back), 0);
	struct gx_bin aux = gx_ftx_error_aux(&back);
	ck_assert_uint_eq(aux.len, 2);
	ck_assert_mem_eq(aux.data, "yz", 2);
	back.aux_bytes_count = 3;
	ck_assert_uint_eq(gx_ftx_error_aux(&back).len, 0);
	back.aux_bytes_offset = 87;
	ck_assert_uint_eq(gx_ftx_error_aux(&back).len, 0);
	back.aux_bytes_offset = 92;
	ck_assert_uint_eq(gx_ftx_error_aux(&back).len, 0);
	o.send_options = 0;
	ck_assert_int_eq(ftx_swallow(b.data, b.len, &o, 0), GX_E_FORMAT);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("ftx");
	TCase *t = tcase_create("streams");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, bytes_of_elements);
	tcase_add_test(t, bytes_of_named_and_multiple_properties);
	tcase_add_loop_test(t, forms_of_strings, 0, sizeof(forms) / sizeof(forms[0]));
	tcase_add_test(t, sample_of_a_server);
	tcase_add_loop_test(t, refused_streams, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, names_have_a_limit);
	tcase_add_test(t, errors_of_events);
	tcase_add_test(t, elements_that_cannot_be_put);
	tcase_add_test(t, elements_by_callback);
	tcase_add_test(t, structures_and_errors);
	suite_add_tcase(s, t);
	return s;
}

GXTEST_MAIN(suite)
