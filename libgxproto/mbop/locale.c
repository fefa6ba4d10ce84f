/* SPDX-License-Identifier: Apache-2.0 */
/* set-locale: the language of a user and of the names of his built-in folders. */
#include <config.h>
#include <gx/folder.h>
#include <gx/time.h>
#include "libgxproto/mbop/mbop-int.h"

enum { ROUNDS = 100, MAX_MS = 10000 };

static bool rename_folder(struct gx_mbop_job *j, uint64_t fid, const char *name, bool *ret_taken)
{
	struct gx_propval pv = {.tag = PidTagDisplayName, .v.str = name};
	const struct gx_x_set_folder_properties_req q = {.folder_id = gx_eid_make(1, fid), .props = {&pv, 1, 1}};
	struct gx_x_set_folder_properties_ans ans;
	bool ok = MBOP2(j, set_folder_properties, &q, &ans);
	*ret_taken = !ok && gx_ec_is(j->ec, ecDuplicateName);
	return ok || *ret_taken;
}

/* @ret_taken: names that folders of the user's own have, so that the old ones stay. */
static bool rename_all(struct gx_mbop_job *j, const char *lang, bool tell, uint64_t *ret_done, uint64_t *ret_taken)
{
	*ret_done = *ret_taken = 0;
	for (uint64_t fid = GX_FID_ROOT; fid <= GX_FID_CONVACTION; ++fid) {
		const char *name = gx_folder_name_in(lang, fid);
		bool taken;
		if (name == NULL)
			continue;
		if (!rename_folder(j, fid, name, &taken))
			return false;
		if (taken)
			gx_mbop__say(j, "folder 0x%llx keeps its name: there is another \"%s\"", (unsigned long long)fid, name);
		else if (tell)
			gx_mbop__say(j, "folder 0x%llx: \"%s\"", (unsigned long long)fid, name);
		*ret_taken += taken;
		*ret_done += !taken;
	}
	return true;
}

static bool measure(struct gx_mbop_job *j, const char *lang)
{
	const struct gx_clock *c = gx_clock_system();
	int64_t start = gx_clock_mono_ms(c), ms = 0;
	uint64_t calls = 0, done, taken;
	for (int i = 0; i < ROUNDS && ms < MAX_MS; ++i) {
		gx_mbop__progress(j, "renaming folders", (uint64_t)i, ROUNDS);
		/* names that stay the same cost nothing: English ones in between */
		if (!rename_all(j, i % 2 == 0 ? "en" : lang, false, &done, &taken))
			return false;
		calls += done + taken;
		ms = gx_clock_mono_ms(c) - start;
	}
	uint64_t rate = calls * 1000 / (uint64_t)(ms > 0 ? ms : 1);
	gx_mbop__say(j, "%llu renames in %lld ms, %llu a second", (unsigned long long)calls, (long long)ms,
		(unsigned long long)rate);
	gx_mbop__num(j, "renames", calls);
	gx_mbop__num(j, "milliseconds", (uint64_t)ms);
	return true;
}

static bool set_user(struct gx_mbop_job *j, const char *lang)
{
	if (j->t->user == NULL)
		return gx_mbop__fail(j, "nobody in the directory has this mailbox, so that there is no language to be set");
	int err = gx_dir_set_lang(j->m->o->dir, j->t->user, lang);
	return err == 0 || gx_mbop__fail(j, "the language of %s: %s", j->t->user, gx_strerror(err));
}

bool gx_mbop__set_locale(struct gx_mbop_job *j)
{
	const char *lang = gx_mbop__opt(j->cmd, "l")->text;
	uint64_t done, taken;
	if (j->t->is_public)
		return gx_mbop__fail(j, "folders of a public store have the same names in all languages");
	if (!set_user(j, lang))
		return false;
	if (gx_folder_name_in(lang, GX_FID_INBOX) == NULL) {
		gx_mbop__say(j, "there are no folder names in %s; they stay as they are", lang);
		gx_mbop__num(j, "folders", 0);
		return true;
	}
	if (gx_mbop__opt(j->cmd, "T")->set && !measure(j, lang))
		return false;
	if (!rename_all(j, lang, j->m->o->verbose || gx_mbop__opt(j->cmd, "v")->set, &done, &taken))
		return false;
	gx_mbop__num(j, "folders", done);
	gx_mbop__num(j, "taken", taken);
	return true;
}
