/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/imap/imap-int.h"

#define ROW(word, states, flags, fn) {word, states, flags, gx_imap__##fn##_parse, gx_imap__##fn##_run}
#define BARE(word, states, flags, fn) {word, states, flags, NULL, gx_imap__##fn##_run}

static const struct imap_command commands[] = {
	ROW("APPEND", IMAP_IN, 0, append),
	ROW("AUTHENTICATE", IMAP_NOAUTH, 0, authenticate),
	BARE("CAPABILITY", IMAP_ANY, IMAP_F_LOOP, capability),
	BARE("CHECK", IMAP_SELECTED, IMAP_F_LOOP, noop),
	BARE("CLOSE", IMAP_SELECTED, 0, close),
	ROW("COPY", IMAP_SELECTED, IMAP_F_UID, copy),
	ROW("CREATE", IMAP_IN, 0, create),
	ROW("DELETE", IMAP_IN, 0, delete),
	ROW("ENABLE", IMAP_IN, IMAP_F_LOOP, enable),
	{"EXAMINE", IMAP_IN, 0, gx_imap__select_parse, gx_imap__examine_run},
	BARE("EXPUNGE", IMAP_SELECTED, 0, expunge),
	ROW("EXPUNGE", IMAP_SELECTED, IMAP_F_UID | IMAP_F_UID_ONLY, uid_expunge),
	ROW("FETCH", IMAP_SELECTED, IMAP_F_UID | IMAP_F_KEEP, fetch),
	ROW("ID", IMAP_ANY, IMAP_F_LOOP, id),
	BARE("IDLE", IMAP_IN, IMAP_F_LOOP, idle),
	ROW("LIST", IMAP_IN, 0, list),
	ROW("LOGIN", IMAP_NOAUTH, 0, login),
	BARE("LOGOUT", IMAP_ANY, IMAP_F_LOOP, logout),
	ROW("LSUB", IMAP_IN, 0, lsub),
	{"MOVE", IMAP_SELECTED, IMAP_F_UID, gx_imap__copy_parse, gx_imap__move_run},
	BARE("NAMESPACE", IMAP_IN, IMAP_F_LOOP, namespace),
	BARE("NOOP", IMAP_ANY, IMAP_F_LOOP, noop),
	ROW("RENAME", IMAP_IN, 0, rename),
	ROW("SEARCH", IMAP_SELECTED, IMAP_F_UID | IMAP_F_KEEP, search),
	ROW("SELECT", IMAP_IN, 0, select),
	BARE("STARTTLS", IMAP_NOAUTH, IMAP_F_LOOP, starttls),
	ROW("STATUS", IMAP_IN, 0, status),
	ROW("STORE", IMAP_SELECTED, IMAP_F_UID | IMAP_F_KEEP, store),
	{"SUBSCRIBE", IMAP_IN, 0, gx_imap__one_mailbox_parse, gx_imap__subscribe_run},
	BARE("UNSELECT", IMAP_SELECTED, IMAP_F_LOOP, unselect),
	{"UNSUBSCRIBE", IMAP_IN, 0, gx_imap__one_mailbox_parse, gx_imap__unsubscribe_run},
};

const struct imap_command *gx_imap__command(const char *name, bool uid)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); ++i) {
		const struct imap_command *r = &commands[i];
		bool form = uid ? (r->flags & IMAP_F_UID) != 0 : (r->flags & IMAP_F_UID_ONLY) == 0;
		if (form && gx_ascii_casecmp(r->name, name) == 0)
			return r;
	}
	return NULL;
}
