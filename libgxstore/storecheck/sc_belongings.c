/* SPDX-License-Identifier: Apache-2.0 */
/* Small tables whose rows belong to a folder or a message: each check is two statements. */
#include <config.h>
#include "libgxstore/storecheck/sc-int.h"

#define N(v) (sizeof(v) / sizeof((v)[0]))
#define NO_FOLDER " NOT IN (SELECT fid FROM folders)"
#define NO_MESSAGE " NOT IN (SELECT mid FROM msg)"

static const struct gx_store_check_info subs[] = {
	{"rights-folder", "folder", "rights are on a folder", GX_FINDING_WASTE, true},
	{"rights-value", "folder", "rights are known ones of somebody", GX_FINDING_WRONG, true},
	{"receive-folder", "store", "mail of each class goes to a folder", GX_FINDING_BROKEN, true},
	{"delivery-id", "store", "ids of deliveries can be compared", GX_FINDING_WASTE, true},
	{"rule-folder", "rule", "a rule belongs to a folder", GX_FINDING_WASTE, true},
	{"search-folder", "folder", "search criteria belong to a search folder", GX_FINDING_WASTE, true},
	{"search-scope", "folder", "a search looks into folders that there are", GX_FINDING_WASTE, true},
	{"search-result", "folder", "what a search found is there", GX_FINDING_WRONG, true},
	{"read-state", "message", "read marks of users belong to a message", GX_FINDING_WASTE, true},
	{"read-count", "folder", "the messages that each user has read are counted", GX_FINDING_WRONG, true},
	{"timer", "message", "a timer belongs to a message", GX_FINDING_WASTE, true},
	{"table-state", "folder", "states of tables belong to a folder", GX_FINDING_WASTE, true},
	{"replica", "store", "replicas have a GUID", GX_FINDING_BROKEN, true},
};

/* Row 0 of a user and a folder counts the others. */
#define READ_BY \
	"(SELECT COUNT(*) FROM pread o WHERE o.user=p.user AND o.fid=p.fid AND o.mid<>0 AND o.isread<>0)"
/* 0x1ffb: all rights of [MS-OXCPERM] 2.2.7. */
static const struct gx_sc_simple simple[] = {
	{"SELECT fid,printf('%x',fid) FROM permissions WHERE fid" NO_FOLDER " GROUP BY fid", "rights of no folder",
		"DELETE FROM permissions WHERE fid=?1", "permissions", "fid=?1"},
	{"SELECT fid,printf('folder %x, \"%s\", %x',fid,member,rights) FROM permissions WHERE member IS NULL OR rights IS "
	 "NULL OR rights&~0x1ffb",
		"rights that there are not",
		"UPDATE OR REPLACE permissions SET rights=COALESCE(rights,0)&0x1ffb, member=COALESCE(member,'') WHERE "
		"fid=?1",
		"permissions", "fid=?1"},
	{"SELECT fid,printf('class \"%s\" to folder %x',class,fid) FROM receive WHERE fid" NO_FOLDER
	 " UNION ALL SELECT 0,'no row for other classes' WHERE NOT EXISTS(SELECT 1 FROM receive WHERE class='') AND "
	 "(SELECT value FROM meta WHERE key='public')=0",
		"mail goes nowhere",
		"INSERT INTO receive(class,fid,modified) SELECT class,13,0 FROM (SELECT class FROM receive WHERE fid=?1 "
		"UNION SELECT '' WHERE ?1=0) WHERE true"
		" ON CONFLICT(class) DO UPDATE SET fid=13",
		NULL, NULL},
	{"SELECT 0,COUNT(*) FROM delivered WHERE length(id)<>16 OR seq IS NULL HAVING COUNT(*)>0",
		"ids of deliveries that are none", "DELETE FROM delivered WHERE length(id)<>16 OR seq IS NULL", NULL, NULL},
	{"SELECT id,name FROM rules WHERE fid" NO_FOLDER, "a rule of no folder", "DELETE FROM rules WHERE id=?1", "rules",
		"id=?1"},
	{"SELECT fid,printf('%x',fid) FROM search WHERE fid NOT IN (SELECT fid FROM folders WHERE type=2)",
		"search criteria of no search folder", "DELETE FROM search WHERE fid=?1", "search", "fid=?1"},
	{"SELECT search,printf('%x in %x',search,fid) FROM scope WHERE search NOT IN (SELECT fid FROM search) OR "
	 "fid" NO_FOLDER,
		"scope of a search",
		"DELETE FROM scope WHERE search=?1 AND (search NOT IN (SELECT fid FROM search) OR fid" NO_FOLDER ")", NULL,
		NULL},
	{"SELECT fid,COUNT(*) FROM found WHERE mid" NO_MESSAGE " OR fid" NO_FOLDER " GROUP BY fid",
		"messages found that are not there",
		"DELETE FROM found WHERE fid=?1 AND (mid" NO_MESSAGE " OR fid" NO_FOLDER ")", NULL, NULL},
	{"SELECT mid,printf('%x',mid) FROM pread WHERE mid<>0 AND mid" NO_MESSAGE " GROUP BY mid", "read marks of no message",
		"DELETE FROM pread WHERE mid=?1", NULL, NULL},
	{"SELECT p.fid,printf('%s in %x',p.user,p.fid) FROM pread p WHERE p.mid=0 AND p.isread<>" READ_BY,
		"number of messages that a user has read",
		"UPDATE pread AS p SET isread=" READ_BY " WHERE mid=0 AND fid=?1", NULL, NULL},
	{"SELECT mid,printf('%x',mid) FROM timers WHERE mid" NO_MESSAGE, "timer of no message",
		"DELETE FROM timers WHERE mid=?1", "timers", "mid=?1"},
	{"SELECT id,printf('%x',fid) FROM tstate WHERE fid" NO_FOLDER, "state of a table of no folder",
		"DELETE FROM tstate WHERE id=?1", NULL, NULL},
	{"SELECT replid,printf('%d',replid) FROM replicas WHERE length(guid)<>16 OR guid IS NULL", "a replica without GUID",
		"DELETE FROM replicas WHERE replid=?1", "replicas", "replid=?1"},
};

const struct gx_sc_check gx_sc__belongings = {.subs = subs, .nsubs = N(subs), .simple = simple};
