/* SPDX-License-Identifier: Apache-2.0 */
/* `chsmctl help TOPIC`: the tables that the program decides by, printed from those tables. */
#ifndef CHSM_CLI_TOPICS_H
#define CHSM_CLI_TOPICS_H

struct chsm_topic {
    const char *name, *help;
    void (*print)(void);            /* on stdout, at most 80 columns */
};

extern const struct chsm_topic chsm_topics[];   /* ended by a row without name */

const struct chsm_topic *chsm_topic_find(const char *name);     /* NULL: there is none, or name is NULL */

#endif
