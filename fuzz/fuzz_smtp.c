/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The LMTP and SMTP engine. The first byte chooses the server's options, the second the sizes of
 * the pieces; a journal that says yes, no or nothing stands behind it.
 */
#include <config.h>
#include "libgxproto/smtp/smtp-test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtp_test t;
	if (size < 2)
		return 0;
	unsigned opts = data[0], piece = data[1];
	smtp_test_init(&t);
	t.srv.lmtp = opts & 1;
	t.srv.smtp = !t.srv.lmtp || (opts & 2);
	t.srv.require_tls = opts & 4;
	t.srv.max_message = opts & 8 ? 50 : 4000000;
	t.hold = opts & 16;
	t.flush_err = opts & 32 ? GX_E_NOSPACE : 0;
	t.submit_err = opts & 64 ? GX_E_IO : 0;
	t.budget = opts & 128 ? 5000 : 64 << 20;
	smtp_test_run(&t);
	for (size_t off = 2; off < size && t.want != GX_WANT_CLOSE; ) {
		size_t n = piece == 0 ? size - off : 1 + (off * piece * 2654435761u >> 7) % piece;
		if (n > size - off)
			n = size - off;
		smtp_test_feed(&t, data + off, n);
		off += n;
		assert(t.want != GX_WANT_WORKER && t.want != GX_WANT_AGAIN);
		if (t.want == GX_WANT_WAIT) {
			smtp_test_flush(&t);
			smtp_test_run(&t);
		}
	}
	if (t.want != GX_WANT_CLOSE && !t.hold) {
		t.io.events |= GX_IO_EOF;
		smtp_test_run(&t);
		assert(t.want == GX_WANT_CLOSE);
	}
	smtp_test_release(&t);
	return 0;
}
