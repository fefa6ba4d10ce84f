/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client of a mailbox that others work in, too: does things at random, at the server and in its own copy, synchronises, and says
 * what it did and what it has. tests/service/syncmodel.py drives a few of them and judges what they say.
 */
#ifndef GX_TESTS_MODEL_H
#define GX_TESTS_MODEL_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gx/entryid.h>
#include <gx/mapi_client.h>

enum { PLACES = 3, ITEMS = 3000, DIRS = 600, INTENTS = 64, NAME = 40, ATTEMPTS_S = 120 };

struct key {
	uint8_t b[24];
	size_t len;
};
struct pcl {
	uint8_t b[400];
	size_t len;
};
/* A message, as the copy has it. Its subject is "TAG VERSION", and its text begins with that. */
struct item {
	uint64_t mid;
	char tag[NAME], ver[NAME];
	bool read, flagged, fai;
	uint32_t att;                 /* bytes of its attachment; 0: has none */
	struct key source, change;
	struct pcl pcl;
};
/* A folder in the copy of the tree. */
struct dir {
	uint64_t fid, parent;
	char name[NAME];
	struct key source, change;
	struct pcl pcl;
};
/* What the client wants to bring to the server at its next synchronisation. */
struct intent {
	enum { I_NEW, I_CHANGE, I_DELETE, I_READ, I_MOVE } kind;
	unsigned place, to;           /* to: of a move, which the collector there is told of */
	struct item was, is;
	bool hard, tried;
};
/* Copy of a folder's messages. */
struct place {
	char name[NAME];
	uint64_t fid;
	struct item v[ITEMS];
	size_t n;
	struct gx_bin state;          /* malloc */
	bool exact;                   /* the state is that of the copy: nothing may be told again */
};
struct tree {
	struct dir v[DIRS];
	size_t n;
	struct gx_bin state;
	bool exact;
};

struct model {
	struct gx_mapi_opts o;
	struct gx_mapi *c;
	struct gx_mapi_obj *store;
	const char *name;
	uint64_t seed;
	unsigned serial;              /* of tags, versions, change keys */
	struct gx_guid space;         /* of its change keys */
	struct gx_arena *a;           /* of one command */
	struct place p[PLACES];
	struct tree tree;
	struct intent out[INTENTS];
	size_t nout;
	unsigned reconnects, broken, told;
};
extern struct model w;

/* ---- main.c ---- */
uint32_t rnd(uint32_t n);
/* "ba 17", another each time. */
const char *fresh(const char *kind);
/* A line of the answer. @p res ok, no or unsure. */
void say_op(const char *res, const char *kind, const char *place, const char *tag, const char *fmt, ...) GX_PRINTF(5, 6);
/* Something that must not be. */
void bad(const char *fmt, ...) GX_PRINTF(1, 2);

/* ---- link.c ---- */
/* Until there is a session; the program ends when that takes too long. */
void link_up(void);
void link_down(void);
/* What the failure of a call means for what it was to do; waits for a server that is gone. */
const char *verdict(gx_ec ec);
/* It failed, and as a whole had no effect. */
bool gave_up(gx_ec ec);
struct gx_mapi_obj *open_folder(uint64_t fid);

/* ---- item.c ---- */
char *text_of(const char *tag, const char *ver, uint32_t len, uint32_t att);
void props_of(struct gx_proplist *l, const char *tag, const char *ver, uint32_t att);
uint8_t *attachment_of(const char *tag, uint32_t att);
/* Fills it from what a synchronisation gave, and looks whether it belongs together. */
void read_item(const struct gx_mapi_change *ch, const struct gx_msgobj *m, struct item *ret_i);
bool split_name(const char *s, char *ret_tag, char *ret_ver);
struct item *find_item(struct place *p, uint64_t mid);
void put_item(struct place *p, const struct item *i);
void drop_item(struct place *p, uint64_t mid);
void set_key(struct key *k, struct gx_bin b);
void set_pcl(struct pcl *k, struct gx_bin b);
struct gx_bin key_bin(const struct key *k);

/* ---- online.c, local.c, dirs.c ---- */
void work_online(struct place *p);
void work_local(struct place *p);
void work_dirs(void);
void make_version(const struct pcl *before, struct key *ret_change, struct pcl *ret_pcl);
bool is_intended(uint64_t mid);
/* Brings what is intended to the server. false: it did not come to the end. */
bool sync_up(unsigned place);

/* ---- down.c ---- */
/* @p stop: after so many changes, as if the client had ended; UINT32_MAX: never. false: it did not come to the end. */
bool sync_down(struct place *p, uint32_t stop);
bool sync_tree(uint32_t stop);
void forget_all(void);

/* ---- truth.c ---- */
void print_copy(void);
/* What tables say. false: they could not be read. */
bool print_tables(void);

#endif
