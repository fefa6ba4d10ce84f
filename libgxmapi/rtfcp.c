/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/rtfcp.h>

/*
 * Compressed RTF: literals and references into a window of 4096 bytes, eight of them after a byte of flags. The
 * window begins with a text that most documents share. [MS-OXRTFCP] 2.1, 2.2
 */

enum {
	HEADER = 16,
	TYPE_LZFU = 0x75465a4c,
	TYPE_MELA = 0x414c454d,
	WINDOW = 4096,
	LEN_MIN = 2,
	LEN_MAX = 17,
	CHAIN_MAX = 48,     /* how far a longer match is looked for */
	HASH_SIZE = 1 << 12,
};

static const char preset[] =
	"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor MS Sans Serif"
	"SymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
#define PRESET (sizeof(preset) - 1)
_Static_assert(PRESET == 207, "[MS-OXRTFCP] 2.1.2.1");

/* [MS-OXRTFCP] 2.1.3.2: the usual polynomial, without the usual inversions. */
static uint32_t checksum(const uint8_t *p, size_t n)
{
	uint32_t table[16], crc = 0;
	for (uint32_t i = 0; i < 16; i++) {
		uint32_t v = i;
		for (int k = 0; k < 4; k++)
			v = v & 1 ? v >> 1 ^ 0xedb88320 : v >> 1;
		table[i] = v;
	}
	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

/* ---- Reading ---- */

struct window {
	uint8_t b[WINDOW];
	unsigned at;
};

static void put(struct window *w, struct gx_push *out, uint8_t c)
{
	w->b[w->at] = c;
	w->at = (w->at + 1) % WINDOW;
	gx_push_u8(out, c);
}

/* @return false at the end mark. */
static bool copy(struct window *w, struct gx_push *out, uint16_t ref)
{
	unsigned from = ref >> 4, n = (ref & 15u) + LEN_MIN;
	if (from == w->at)
		return false;
	for (; n > 0; n--) {
		put(w, out, w->b[from]);
		from = (from + 1) % WINDOW;
	}
	return true;
}

static int expand(struct gx_pull *c, uint32_t raw, struct gx_push *out)
{
	struct window w = {.at = PRESET};
	size_t start = out->len;
	memcpy(w.b, preset, PRESET);
	while (c->left > 0 && c->err == 0 && out->err == 0) {
		uint8_t flags = gx_pull_u8(c);
		for (int i = 0; i < 8 && c->left > 0 && out->len - start <= raw; i++, flags >>= 1) {
			if (!(flags & 1))
				put(&w, out, gx_pull_u8(c));
			else if (c->left < 2 || !copy(&w, out, gx_pull_u16be(c)))
				return out->err != 0 ? out->err : out->len - start < raw ? GX_E_TRUNC : 0;
		}
		if (out->len - start > raw)
			return GX_E_FORMAT; /* more than it says */
	}
	return out->err != 0 ? out->err : c->err != 0 ? c->err : out->len - start < raw ? GX_E_TRUNC : 0;
}

static int decode(struct gx_pull *c, size_t max, struct gx_push *out)
{
	uint32_t size = gx_pull_u32(c), raw = gx_pull_u32(c), type = gx_pull_u32(c), crc = gx_pull_u32(c);
	if (c->err != 0)
		return c->err;
	if (type != TYPE_LZFU && type != TYPE_MELA)
		return GX_E_FORMAT;
	if (size < HEADER - 4)
		return GX_E_FORMAT;
	if (raw > max)
		return GX_E_LIMIT;
	struct gx_pull body = gx_pull_child(c, size - (HEADER - 4));
	if (c->err != 0)
		return c->err;
	if (type == TYPE_MELA) {
		const uint8_t *p = gx_pull_bytes(&body, raw);
		if (p != NULL)
			gx_push_bytes(out, p, raw);
		return body.err != 0 ? body.err : out->err;
	}
	return checksum(body.p, body.left) != crc ? GX_E_FORMAT : expand(&body, raw, out);
}

int gx_rtfcp_decode(const void *data, size_t len, size_t max, struct gx_push *out)
{
	struct gx_pull c;
	size_t start = out->len;
	gx_pull_init(&c, data, len);
	int err = decode(&c, max, out);
	if (err != 0)
		out->len = start;
	return err;
}

/* ---- Writing ---- */

struct packer {
	const uint8_t *in;
	uint64_t len;               /* with the preset in front */
	uint64_t head[HASH_SIZE];   /* the last position + 1 of two bytes with this hash */
	uint64_t before[WINDOW];    /* the one before a position */
};

static uint8_t at(const struct packer *p, uint64_t pos)
{
	return pos < PRESET ? (uint8_t)preset[pos] : p->in[pos - PRESET];
}

static unsigned hash(const struct packer *p, uint64_t pos)
{
	return (at(p, pos) * 33u ^ at(p, pos + 1) * 17u << 4) % HASH_SIZE;
}

static void enter(struct packer *p, uint64_t pos)
{
	if (pos + 1 >= p->len)
		return;
	unsigned h = hash(p, pos);
	p->before[pos % WINDOW] = p->head[h];
	p->head[h] = pos + 1;
}

static unsigned common(const struct packer *p, uint64_t x, uint64_t y)
{
	unsigned n = 0;
	while (n < LEN_MAX && y + n < p->len && at(p, x + n) == at(p, y + n))
		n++;
	return n;
}

/* The longest of those before @pos that the window still holds. A place just a window away would read as the end mark. */
static unsigned find(const struct packer *p, uint64_t pos, uint64_t *ret_from)
{
	unsigned best = 0;
	if (pos + 1 >= p->len)
		return 0;
	uint64_t next = p->head[hash(p, pos)];
	for (int i = 0; i < CHAIN_MAX && next != 0 && pos - (next - 1) < WINDOW && best < LEN_MAX; i++) {
		uint64_t from = next - 1;
		unsigned n = common(p, from, pos);
		if (n > best) {
			best = n;
			*ret_from = from;
		}
		next = p->before[from % WINDOW];
		if (next > from)
			break;
	}
	return best;
}

static unsigned one(struct packer *p, uint64_t pos, struct gx_push *out, bool *ret_ref)
{
	uint64_t from = 0;
	unsigned n = find(p, pos, &from);
	*ret_ref = n >= LEN_MIN;
	if (!*ret_ref) {
		gx_push_u8(out, at(p, pos));
		n = 1;
	} else {
		gx_push_u16be(out, (uint16_t)((from % WINDOW) << 4 | (n - LEN_MIN)));
	}
	for (unsigned i = 0; i < n; i++)
		enter(p, pos + i);
	return n;
}

static void pack(struct packer *p, struct gx_push *out)
{
	uint64_t pos = PRESET;
	bool end = false;
	for (uint64_t i = 0; i < PRESET; i++)
		enter(p, i);
	while (!end && out->err == 0) {
		size_t flags_at = out->len;
		uint8_t flags = 0;
		gx_push_u8(out, 0);
		for (int i = 0; i < 8 && !end; i++) {
			bool ref = true;
			end = pos == p->len;
			if (end)
				gx_push_u16be(out, (uint16_t)((pos % WINDOW) << 4));
			else
				pos += one(p, pos, out, &ref);
			flags = (uint8_t)(flags | (ref ? 1 << i : 0));
		}
		gx_push_patch_u8(out, flags_at, flags);
	}
}

static void header(struct gx_push *out, size_t body, size_t raw, uint32_t type, uint32_t crc)
{
	gx_push_u32(out, (uint32_t)(body + HEADER - 4));
	gx_push_u32(out, (uint32_t)raw);
	gx_push_u32(out, type);
	gx_push_u32(out, crc);
}

int gx_rtfcp_encode(const void *rtf, size_t len, struct gx_push *out)
{
	size_t start = out->len;
	if (len > INT32_MAX - HEADER)
		return GX_E_RANGE;
	struct packer p = {.in = rtf, .len = PRESET + (uint64_t)len};
	header(out, 0, len, TYPE_LZFU, 0);
	pack(&p, out);
	if (out->err != 0)
		return out->err;
	size_t body = out->len - start - HEADER;
	if (body < len) {
		gx_push_patch_u32(out, start, (uint32_t)(body + HEADER - 4));
		gx_push_patch_u32(out, start + 12, checksum(out->data + start + HEADER, body));
		return 0;
	}
	out->len = start;
	header(out, len, len, TYPE_MELA, 0);
	if (len != 0)
		gx_push_bytes(out, rtf, len);
	return out->err;
}
