/* SPDX-License-Identifier: Apache-2.0 */
/* The engine in a real server: directory and journal behind it. */
#include <config.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "libgxproto/delivery/journal-int.h"
#include "libgxproto/delivery/rcpt-int.h"
#include "smtp-int.h"

static int check(const struct gx_smtp_server *v, const char *address, uint64_t size, struct gx_arena *a)
{
	int ret = gx_delivery_check_rcpt(v->dir, address, v->recipient_delimiter, a);
	if (ret == 0 && v->journal != NULL)
		ret = gx_rcpt__held(v->dir, v->journal, address, v->recipient_delimiter, a);
	if (ret != 0 || v->pool == NULL)
		return ret;
	return gx_rcpt__room(v->dir, v->pool, address, v->recipient_delimiter, size, a);
}

static int submit(const struct gx_smtp_server *v, const struct gx_envelope *env, struct gx_bin data, gx_journal_cb cb, void *ctx)
{
	return gx_journal_submit(v->journal, env, data, cb, ctx);
}

static bool reserve(const struct gx_smtp_server *v, uint64_t n)
{
	return gx_journal__reserve(v->journal, n);
}

static void unreserve(const struct gx_smtp_server *v, uint64_t n)
{
	gx_journal__unreserve(v->journal, n);
}

static int spool(const struct gx_smtp_server *v)
{
	char path[4096];
	const char *dir = gx_journal__dir(v->journal);
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "%s/spool.XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static const struct gx_smtp_backend backend = {check, submit, reserve, unreserve, spool};

static void *new_engine(struct gx_io *io, void *ctx)
{
	return gx_smtp__new(ctx, &backend);
}

void gx_smtp_factory(struct gx_engine_factory *ret_f, const struct gx_smtp_server *srv)
{
	*ret_f = (struct gx_engine_factory){&gx_smtp__ops, new_engine, (void *)(uintptr_t)srv};
}
