/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the records of a segment, also behind a torn or damaged one. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "crc32c.h"
#include "journal-int.h"

enum { CRC_CHUNK = 1 << 16 };

static bool fits(const struct gx_jseg *s, const struct gx_jhead *h, uint64_t off)
{
	uint64_t room = s->size - off;
	return h->stamp == s->stamp && h->index < s->map_len && room >= GX_JREC_HEADER &&
		h->env_len <= room - GX_JREC_HEADER && h->data_len <= room - GX_JREC_HEADER - h->env_len;
}

static int body_sum(const struct gx_jseg *s, uint64_t off, uint64_t len, uint32_t *ret_crc)
{
	uint32_t crc = 0;
	int ret = 0;
	uint8_t *buf = malloc(CRC_CHUNK);
	if (buf == NULL)
		return GX_E_NOMEM;
	while (ret == 0 && len > 0) {
		size_t n = len < CRC_CHUNK ? len : CRC_CHUNK;
		ret = gx_jseg__read(s, buf, n, off);
		if (ret == 0)
			crc = gx_crc32c__update(crc, buf, n);
		off += n;
		len -= n;
	}
	free(buf);
	*ret_crc = crc;
	return ret;
}

/** @return 1 a record begins at off, 0 none, or GX_E_*. */
static int look(const struct gx_jseg *s, const struct gx_jscan *sc, uint64_t off, struct gx_jhead *h)
{
	uint8_t b[GX_JREC_HEADER];
	uint32_t crc;
	int ret = gx_jseg__read(s, b, sizeof(b), off);
	if (ret != 0)
		return ret == GX_E_TRUNC ? 0 : ret;
	if (!gx_jrec__get_head(b, h) || !fits(s, h, off))
		return 0;
	if (!sc->recover)
		return 1;
	ret = body_sum(s, off + GX_JREC_HEADER, h->env_len + h->data_len, &crc);
	if (ret != 0)
		return ret == GX_E_TRUNC ? 0 : ret;
	return crc == h->body_crc;
}

int gx_jseg__scan(struct gx_jseg *s, const struct gx_jscan *sc)
{
	uint8_t *map;
	uint64_t gap = 0; /* where unreadable bytes began */
	int ret = gx_jseg__read_map(s, &map);
	if (ret != 0)
		return ret;
	uint64_t off = s->write_off;
	while (off + GX_JREC_HEADER <= s->size) {
		struct gx_jhead h;
		ret = look(s, sc, off, &h);
		if (ret < 0 || (ret == 1 && sc->max_seq != 0 && h.seq > sc->max_seq))
			break;
		if (ret == 0 && off == gx_jseg__align(off) && !sc->recover)
			break;
		if (ret == 0) {
			if (gap == 0)
				gap = off;
			off = gx_jseg__align(off + 1);
			continue;
		}
		if (gap != 0 && gx_jseg__align(gap) != off && sc->damaged != NULL)
			sc->damaged(s, gap, off - gap, sc->ctx);
		gap = 0;
		sc->record(s, &h, off, map[h.index] != 0, sc->ctx);
		if (s->count <= h.index)
			s->count = h.index + 1;
		off += gx_jrec__space(h.env_len, h.data_len);
		s->write_off = off;
	}
	free(map);
	return ret < 0 ? ret : 0;
}
