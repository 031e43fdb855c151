/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <dirent.h>
#include <sys/stat.h>

#include "sim/p11/listing.h"
#include "util/path.h"

#define BATCH 1024
#define NAME_MAX_LEN 1024               /* longer names are no target of an overlay */
#define NS 1000000000LL
#define SETTLED_NS 50000000LL           /* clocks of file systems are coarse: a folder that changed just now may change unseen */

static struct {
    char *folder;
    struct list {
        CK_OBJECT_HANDLE *objects;
        size_t n;
        long long stamp;                /* stamp() when they were listed; 0 = to be listed again */
    } *lists;
    size_t n;
} all;

int sim_listing_open(const char *keys, size_t n, struct chsm_err *err)
{
    all.folder = chsm_path_join(keys, "tokens");
    all.lists = calloc(n + 1, sizeof *all.lists);
    all.n = n;
    return all.folder && all.lists ? 0 : chsm_oom(err);
}

void sim_listing_close(void)
{
    for (size_t i = 0; all.lists && i < all.n; i++)
        free(all.lists[i].objects);
    free(all.lists);
    free(all.folder);
    memset(&all, 0, sizeof all);
}

void sim_listing_forget(void)
{
    for (size_t i = 0; all.lists && i < all.n; i++)
        all.lists[i].stamp = 0;
}

/* When the newest of the tokens' folders was changed, in ns; 0 when that is too short ago to be relied on. */
static long long stamp(void)
{
    DIR *d = opendir(all.folder);
    const struct dirent *entry;
    struct timespec now;
    long long newest = 0;

    if (!d)
        return 0;
    while ((entry = readdir(d)) != NULL) {
        struct stat st;
        long long changed;

        if (fstatat(dirfd(d), entry->d_name, &st, 0) < 0)
            continue;
        changed = st.st_mtim.tv_sec * NS + st.st_mtim.tv_nsec;
        if (changed > newest)
            newest = changed;
    }
    (void)closedir(d);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * NS + now.tv_nsec - newest > SETTLED_NS ? newest : 0;
}

static const struct sim_overlay_entry *overlay_of(size_t token, CK_SESSION_HANDLE inner, CK_OBJECT_HANDLE object, CK_OBJECT_CLASS cls)
{
    unsigned char id[NAME_MAX_LEN], label[NAME_MAX_LEN];
    CK_ATTRIBUTE a[] = { { CKA_LABEL, label, sizeof label }, { CKA_ID, id, sizeof id } };
    struct sim_overlay_key key = { .user = sim_state()->tokens[token].name, .cls = cls, .id.p = id, .label.p = label };

    /* Data objects have no ID. */
    if (sim_state()->fl->C_GetAttributeValue(inner, object, a, cls == CKO_DATA ? 1 : 2) != CKR_OK)
        return NULL;
    key.label.len = a[0].ulValueLen;
    key.id.len = cls == CKO_DATA ? 0 : a[1].ulValueLen;
    return sim_overlay_find(&sim_state()->overlay, &key);
}

struct sim_handle *sim_listing_handle(size_t token, CK_SESSION_HANDLE inner, CK_OBJECT_HANDLE object)
{
    struct sim_handle *h = sim_handle_of(token, object);
    CK_OBJECT_CLASS cls = CK_UNAVAILABLE_INFORMATION;
    CK_KEY_TYPE type = CK_UNAVAILABLE_INFORMATION;
    CK_ATTRIBUTE a[] = { { CKA_CLASS, &cls, sizeof cls }, { CKA_KEY_TYPE, &type, sizeof type } };
    CK_RV rv;

    if (h)
        return h;
    rv = sim_state()->fl->C_GetAttributeValue(inner, object, a, ARRAY_LEN(a));
    if (rv != CKR_OK && rv != CKR_ATTRIBUTE_TYPE_INVALID)       /* what is no key has no type */
        return NULL;
    h = sim_handle_make(token, object, cls, type);
    if (h && sim_state()->overlay.n > 0)
        h->overlay = overlay_of(token, inner, object, cls);
    return h;
}

static CK_RV list_all(size_t token, CK_SESSION_HANDLE inner, CK_OBJECT_HANDLE **ret, size_t *ret_n)
{
    CK_FUNCTION_LIST *fl = sim_state()->fl;
    AUTO_FREE CK_OBJECT_HANDLE *list = NULL;
    CK_OBJECT_HANDLE batch[BATCH], *grown;
    CK_ULONG got, i;
    size_t kept = 0;
    CK_RV rv = fl->C_FindObjectsInit(inner, NULL, 0);

    if (rv != CKR_OK)
        return rv;
    while ((rv = fl->C_FindObjects(inner, batch, BATCH, &got)) == CKR_OK && got > 0) {
        grown = reallocarray(list, kept + got, sizeof *list);
        if (!grown) {
            rv = CKR_HOST_MEMORY;
            break;
        }
        list = grown;
        /* An object that another process destroys meanwhile is left out. */
        for (i = 0; i < got; i++)
            if (sim_listing_handle(token, inner, batch[i]))
                list[kept++] = batch[i];
    }
    (void)fl->C_FindObjectsFinal(inner);
    if (rv != CKR_OK)
        return rv;
    *ret = TAKE(list);
    *ret_n = kept;
    return CKR_OK;
}

CK_RV sim_listing_of(size_t token, CK_SESSION_HANDLE inner, const CK_OBJECT_HANDLE **ret, size_t *ret_n)
{
    struct list *list = &all.lists[token];
    long long now = stamp();
    CK_OBJECT_HANDLE *fresh;
    CK_RV rv;

    if (now == 0 || list->stamp != now) {
        rv = list_all(token, inner, &fresh, &list->n);
        if (rv != CKR_OK)
            return rv;
        free(list->objects);
        list->objects = fresh;
        list->stamp = now;
    }
    *ret = list->objects;
    *ret_n = list->n;
    return CKR_OK;
}
