/* SPDX-License-Identifier: Apache-2.0 */
/* What cannot be delivered stays in JOURNAL/failed: the message, and a file that says why. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "pipeline-int.h"

static int err_of_errno(void)
{
	return errno == ENOSPC || errno == EDQUOT ? GX_E_NOSPACE : GX_E_IO;
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return err_of_errno();
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

static int write_file(int dir_fd, const char *name, struct gx_bin data)
{
	int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_of_errno();
	int ret = write_all(fd, data.data, data.len);
	if (ret == 0 && fsync(fd) != 0)
		ret = err_of_errno();
	close(fd);
	return ret;
}

/** Adds one recipient to the record of the failure; an older record is kept and extended. */
static json_t *describe(int dir_fd, const char *name, const struct gx_mailjob *job, const char *rcpt, const char *why)
{
	json_error_t e;
	int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	json_t *o = fd >= 0 ? json_loadfd(fd, 0, &e) : NULL;
	if (fd >= 0)
		close(fd);
	if (!json_is_object(o)) {
		json_decref(o);
		o = json_pack("{s:s, s:s, s:I, s:[]}", "from", job->env.from, "client", job->env.client,
			"received", (json_int_t)job->env.received_unix, "recipients");
	}
	json_t *list = json_object_get(o, "recipients");
	size_t i;
	json_t *old;
	json_array_foreach(list, i, old)
		if (strcmp(json_string_value(json_object_get(old, "address")) != NULL ?
		    json_string_value(json_object_get(old, "address")) : "", rcpt) == 0)
			return o;
	json_array_append_new(list, json_pack("{s:s, s:s}", "address", rcpt, "why", why));
	return o;
}

static int write_description(int dir_fd, const char *name, const struct gx_mailjob *job, const char *rcpt, const char *why)
{
	json_t *o = describe(dir_fd, name, job, rcpt, why);
	char *text = o == NULL ? NULL : json_dumps(o, JSON_INDENT(1));
	json_decref(o);
	if (text == NULL)
		return GX_E_NOMEM;
	int ret = write_file(dir_fd, name, (struct gx_bin){(uint8_t *)text, strlen(text)});
	free(text);
	return ret;
}

static int write_message(int dir_fd, const char *name, const struct gx_mailjob *job)
{
	struct gx_bin data;
	if (faccessat(dir_fd, name, F_OK, 0) == 0)
		return 0;
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	int ret = gx_journal__load_data(job->rec, a, &data);
	if (ret == 0)
		ret = write_file(dir_fd, name, data);
	if (ret != 0)
		unlinkat(dir_fd, name, 0);
	gx_arena_free(a);
	return ret;
}

static int open_dir(const char *journal_dir)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/failed", journal_dir);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int gx_delivery__keep_failed(struct gx_delivery *d, const struct gx_mailjob *job, const char *rcpt, const char *why)
{
	char eml[48], json[48];
	uint64_t hi, lo;
	memcpy(&hi, job->rec->id, 8);
	memcpy(&lo, job->rec->id + 8, 8);
	snprintf(eml, sizeof(eml), "%016" PRIx64 "%016" PRIx64 ".eml", hi, lo);
	snprintf(json, sizeof(json), "%016" PRIx64 "%016" PRIx64 ".json", hi, lo);
	int fd = open_dir(gx_journal__dir(d->j));
	if (fd < 0)
		return err_of_errno();
	int ret = write_message(fd, eml, job);
	/* A record whose bytes are damaged is described without them. */
	if (ret == 0 || ret == GX_E_FORMAT)
		ret = write_description(fd, json, job, rcpt, why);
	if (ret == 0 && fsync(fd) != 0)
		ret = err_of_errno();
	close(fd);
	if (ret == 0)
		gx_log(d->log, GX_LOG_ERROR, "delivery: from=<%s> to=<%s> cannot be delivered: %s; kept as %s/failed/%s",
			job->env.from, rcpt, why, gx_journal__dir(d->j), eml);
	return ret;
}
