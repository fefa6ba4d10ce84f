/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_STORECONV_H
#define GX_STORECONV_H
/**
 * @file storeconv.h
 * Makes a store of ours out of a mailbox directory of Gromox.
 *
 * Ids, change numbers, change keys, replica and mailbox GUIDs, UIDs and UIDVALIDITY stay what they
 * are, so that what clients have cached remains valid. The source is only read. The new store is
 * made beside its destination (DEST.storeconv) and put in place when it is complete; a run that was
 * interrupted anywhere goes on where it was when it is started again.
 *
 * Thread class: confined.
 */
#include <gx/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a finding is about. */
enum {
	GX_CONV_CONTENT = 1,  /**< a content file is missing or damaged: the property is left out */
	GX_CONV_ORIGINAL = 2, /**< the original text is missing: IMAP gets one made from the object */
	GX_CONV_VALUE = 3,    /**< a property whose value cannot be read is left out */
	GX_CONV_TEXT = 4,     /**< text in an unknown encoding was taken for windows-1252 */
	GX_CONV_NAME = 5,     /**< a named property without a usable name */
	GX_CONV_FOLDER = 6,   /**< a folder got another name or place */
	GX_CONV_MESSAGE = 7,  /**< a message was in no folder, or is nested too deeply */
	GX_CONV_RIGHTS = 8,   /**< an entry of an access list */
	GX_CONV_RULE = 9,     /**< a rule whose conditions or actions cannot be read */
	GX_CONV_SEARCH = 10,  /**< criteria of a search folder */
	GX_CONV_IMAP = 11,    /**< the IMAP index */
	GX_CONV_SETTING = 12, /**< a file under config/ or a property of the store */
	GX_CONV_DATABASE = 13,/**< a table of the database that cannot be read to its end */
};
/** "content", "original", ...; "finding" for an unknown number. Static. */
GX_API const char *gx_storeconv_kind(int kind);

/** Something that could not be carried as it was. Borrowed for the call. */
struct gx_storeconv_finding {
	int kind;            /**< GX_CONV_* */
	const char *object;  /**< "message 2001f", "folder d": ids in hexadecimal */
	const char *file;    /**< the file concerned, NULL: exmdb/exchange.sqlite3 */
	const char *text;
};

/** Stages, in order. */
enum {
	GX_CONV_STAGE_STORE = 1, GX_CONV_STAGE_FOLDERS = 2, GX_CONV_STAGE_MESSAGES = 3, GX_CONV_STAGE_REST = 4,
	GX_CONV_STAGE_DONE = 5,
};

struct gx_storeconv_result {
	size_t size;
	int version;          /**< schema of the source: EV or EB number */
	bool public_store, resumed;
	uint64_t folders, messages, associated, deleted, attachments, originals, bytes;
	uint64_t findings;
};
#define GX_STORECONV_RESULT_INIT {.size = sizeof(struct gx_storeconv_result)}

/**
 * Shows an original text to what knows internet mail: it gives the ENVELOPE and BODYSTRUCTURE, and
 * may turn values of @p io_m into slices of the text. gx_mail_adopt() of gx/delivery.h is one.
 */
typedef int (*gx_storeconv_mail_cb)(struct gx_arena *a, struct gx_bin original, struct gx_msgobj *io_m,
	struct gx_bin *ret_envelope, struct gx_bin *ret_bodystructure, void *ctx);

/**
 * Subject and text (plain or HTML) of an out of office notice that is kept as a small internet message;
 * gx_mail_notice() is one.
 */
typedef int (*gx_storeconv_notice_cb)(struct gx_arena *a, struct gx_bin message, const char **ret_subject,
	const char **ret_text,
	void *ctx);

enum { GX_CONV_ANY = 0, GX_CONV_PRIVATE = 1, GX_CONV_PUBLIC = 2 };
struct gx_storeconv_opts {
	size_t size;
	int kind;                  /**< GX_CONV_ANY, or what the source must be */
	const char *source;        /**< directory of the Gromox mailbox */
	const char *dest;          /**< directory of the new store */
	const char *owner;         /**< SMTP address or domain name */
	uint32_t owner_id;         /**< users.id or domains.id: for the replica GUID, when the source does not tell it */
	const struct gx_log *log;  /**< may be NULL */
	gx_storeconv_mail_cb mail; /**< NULL: original texts are not carried */
	gx_storeconv_notice_cb notice; /**< NULL: texts of out of office notices are not carried */
	void *mail_ctx;            /**< of mail and notice */
	/** Called now and then; another answer than 0 ends the run with GX_E_TIMEOUT, to be resumed. May be NULL. */
	int (*progress)(int stage, uint64_t done, uint64_t total, void *ctx);
	/** Each finding once, those of interrupted runs too. May be NULL. */
	void (*report)(const struct gx_storeconv_finding *f, void *ctx);
	void *ctx;                 /**< of progress and report */
	/** What is at the destination is moved to DEST.old instead of refused: a store, or the source itself. */
	bool replace;
	bool restart;              /**< what an interrupted run has made is thrown away */
	unsigned batch;            /**< messages a transaction, 0 takes 500 */
	int mode;                  /**< of files, 0 takes 0660 */
};
#define GX_STORECONV_OPTS_INIT {.size = sizeof(struct gx_storeconv_opts)}
/**
 * Converts. GX_E_NOTFOUND no mailbox there; GX_E_EXISTS the destination is taken; GX_E_BUSY
 * somebody works on source or destination; GX_E_FORMAT the source's database is damaged, unknown or
 * newer; GX_E_INVAL it is not of the asked kind; GX_E_NOSPACE, GX_E_IO; GX_E_TIMEOUT when progress
 * said so. @p ret_why: arena text that
 * names file and remedy. @p ret_r is filled as far as it went, may be NULL.
 */
GX_API int gx_storeconv_run(const struct gx_storeconv_opts *o, struct gx_storeconv_result *ret_r, struct gx_arena *a,
	const char **ret_why) GX_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
