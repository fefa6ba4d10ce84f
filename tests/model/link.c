/* SPDX-License-Identifier: Apache-2.0 */
/* A session, and another one when that is lost. */
#include <config.h>
#include <time.h>
#include "tests/model/model.h"

static const struct timespec pause_between = {0, 20000000};

static gx_ec try_link(void)
{
	const char *why = "";
	if (gx_mapi_new(&w.o, &w.c, &why) != 0) {
		fprintf(stderr, "model: %s\n", why);
		exit(2);
	}
	gx_ec ec = gx_mapi_connect(w.c, NULL);
	return gx_ec_failed(ec) ? ec : gx_mapi_logon(w.c, NULL, &w.store);
}

void link_up(void)
{
	time_t end = time(NULL) + ATTEMPTS_S;
	while (w.c == NULL) {
		gx_ec ec = try_link();
		if (!gx_ec_failed(ec))
			return;
		if (time(NULL) > end) {
			fprintf(stderr, "model: no session: %s\n", gx_mapi_error(w.c)->text);
			exit(2);
		}
		link_down();
		(void)nanosleep(&pause_between, NULL);
	}
}

void link_down(void)
{
	gx_mapi_close(w.store);
	gx_mapi_free(w.c);
	w.store = NULL;
	w.c = NULL;
}

bool gave_up(gx_ec ec)
{
	return gx_ec_is(ec, ecNetworkError) || gx_ec_is(ec, ecTimeout) || gx_ec_is(ec, ecEndOfSession) || gx_ec_is(ec, ecServerBusy);
}

/* Objects of a session that is lost are closed by those who have them, before they come back to main.c. */
const char *verdict(gx_ec ec)
{
	if (!gx_ec_failed(ec))
		return "ok";
	printf("failed %s: %s\n", gx_ec_name(ec), gx_mapi_error(w.c)->text);
	if (gx_ec_is(ec, ecCorruptData) || gx_ec_is(ec, ecMAPIOOM) || gx_ec_is(ec, ecInvalidParam) || gx_ec_is(ec, ecError))
		bad("%s: %s", gx_ec_name(ec), gx_mapi_error(w.c)->text);
	if (!gave_up(ec))
		return "no";
	++w.broken;
	return "unsure";
}

struct gx_mapi_obj *open_folder(uint64_t fid)
{
	struct gx_mapi_obj *f = NULL;
	gx_ec ec = gx_mapi_open_folder(w.store, fid, 0, &f);
	if (gx_ec_failed(ec) && !gave_up(ec))
		bad("a folder cannot be opened: %s", gx_ec_name(ec));
	if (gx_ec_failed(ec))
		(void)verdict(ec);
	return gx_ec_failed(ec) ? NULL : f;
}
