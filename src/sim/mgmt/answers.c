/* SPDX-License-Identifier: Apache-2.0 */
/* The tool's answers, in the grammar of published outputs. */
#include "config.h"

#include <stdio.h>

#include "sim/mgmt/tool.h"
#include "util/enc.h"
#include "util/json.h"

#define TOOL_VERSION "2.09.07.02"

bool sim_mgmt_up(const struct sim_mgmt *m, size_t server)
{
    return !m->quirks.down[server] && !m->quirks.unencrypted[server];
}

static const char *address(size_t server, char *out, size_t size)
{
    (void)snprintf(out, size, "10.0.2.%zu", server + 4);
    return out;
}

const char *sim_mgmt_name(const struct sim_mgmt *m, size_t server, char *out, size_t size)
{
    char a[32];

    (void)snprintf(out, size, "server %d(%s)", m->quirks.number[server], address(server, a, sizeof a));
    return out;
}

void sim_mgmt_prompt(const struct sim_mgmt *m)
{
    printf("%s", m->quirks.aws ? "aws-cloudhsm> " : "cloudmgmt>");
    (void)fflush(stdout);
}

/* The peer as the dialect calls it: 'server 0', or server '10.0.2.4'. */
static const char *peer(const struct sim_mgmt *m, size_t server, char *out, size_t size)
{
    char a[32];

    if (m->quirks.aws)
        (void)snprintf(out, size, "server '%s'", address(server, a, sizeof a));
    else
        (void)snprintf(out, size, "'server %zu'", server);
    return out;
}

static void start_server(const struct sim_mgmt *m, size_t server)
{
    char who[64], a[32];

    (void)peer(m, server, who, sizeof who);
    (void)address(server, a, sizeof a);
    printf("\nConnecting to %s: hostname '%s', port 2225...\n", who, a);
    if (m->quirks.down[server]) {
        printf("Connetion to server %s(%s) on port 2225 failed\n\nServer %zu(%s) is not connected\n", a, a, server, a);
        return;
    }
    if (!m->quirks.aws)
        printf("Received server version : %s, SDK version: %s, SDK Package Version: 2.0.1.0\n", TOOL_VERSION, TOOL_VERSION);
    printf("Connected to %s: hostname '%s', port 2225%s\n", who, a, m->quirks.aws ? "." : "...");
    if (m->quirks.unencrypted[server])
        printf("/opt/azurecloudhsm/cert/PO.crt,\npartition owner certificate not exist at given path\n\n"
               "Server %zu(%s) is in unencrypted mode now...\nrunning in limited commands mode\n", server, a);
    else if (!m->quirks.aws)
        printf("\nE2E enabled on server %zu(%s)\n", server, a);
}

void sim_mgmt_start(const struct sim_mgmt *m)
{
    if (!m->quirks.aws)
        printf("Liquidsec MGMT Util Version              :        %s\nSDK API Version                          :        %s\n"
               "SDK Package Version                      :        2.0.1.0\n\n", TOOL_VERSION, TOOL_VERSION);
    printf("Connecting to the server(s), it may take time\ndepending on the server(s) load, please wait...\n");
    for (size_t i = 0; i < m->world.servers; i++) {
        start_server(m, i);
        if (i == 0 && !m->quirks.aws)
            printf("\nConnecting to servers in the cluster.\n");
    }
}

void sim_mgmt_cluster_info(const struct sim_mgmt *m)
{
    char name[64];

    for (size_t i = 0; i < m->world.servers; i++) {
        if (!sim_mgmt_up(m, i))
            continue;
        printf("\nCluster info from %s:\nNode Id         Hostname                Port\n", sim_mgmt_name(m, i, name, sizeof name));
        for (size_t k = 0; k < m->world.servers; k++)
            printf("%zu               %s            2225\n", k + 1, json_string_value(json_array_get(m->world.hosts, k)));
    }
    for (size_t i = 0; i < m->world.servers; i++)
        if (m->quirks.down[i])
            printf("Server %zu is not connected\n", i);
}

static void list_user(unsigned long id, const char *type, const char *name)
{
    printf("%10lu\t\t%s\t\t%-40s\t NO               0    \t       \t  NO\n", id, type, name);
}

void sim_mgmt_list_users(const struct sim_mgmt *m)
{
    char name[64];

    for (size_t i = 0; i < m->world.servers; i++) {
        size_t n = json_array_size(m->world.users);

        if (!sim_mgmt_up(m, i))
            continue;
        n -= m->quirks.lost_user[i] && n > 0;
        printf("Users on %s:\nNumber of users found:%zu\n\n", sim_mgmt_name(m, i, name, sizeof name),
               n + 2 + (size_t)m->quirks.count);
        printf("    User Id    \t\tUser Type      \tUser Name      \t\t\t   MofnPubKey  \t LoginFailureCnt       \t 2FA\n");
        list_user(1, "CO", SIM_MGMT_OFFICER);
        list_user(2, "AU", "app_user");
        for (size_t k = 0; k < n; k++)
            list_user(k + 3, "CU", chsm_json_str(json_array_get(m->world.users, k), "name"));
    }
}

static bool has_key(const struct sim_mgmt *m, size_t server, size_t key)
{
    return key < m->world.keys && key >= m->quirks.lost_keys[server];
}

/* "6(o),7(o)", or "6, 7" as findKey has it. */
static size_t list_keys(const struct sim_mgmt *m, size_t server)
{
    const char *comma = "";
    size_t n = 0;

    for (size_t k = 0; k < m->world.keys; k++)
        if (has_key(m, server, k)) {
            printf("%s%lu%s", comma, (unsigned long)(SIM_MGMT_HANDLE + k), m->quirks.findkey ? "" : "(o)");
            comma = m->quirks.findkey ? ", " : ",";
            n++;
        }
    return n;
}

static void hash_keys(const struct sim_mgmt *m, size_t server)
{
    char text[128], hex[65];
    int n = snprintf(text, sizeof text, "%zu keys without the first %u%s", m->world.keys, m->quirks.lost_keys[server],
                     m->quirks.other_hash[server] ? ", shared" : "");

    chsm_sha256_hex(text, (size_t)n, hex);
    printf("Key Hash:\n%s\n\n", hex);
}

void sim_mgmt_find_all(const struct sim_mgmt *m, bool hash)
{
    char name[64];

    for (size_t i = 0; i < m->world.servers; i++) {
        unsigned lost = m->quirks.lost_keys[i];
        size_t n = m->world.keys > lost ? m->world.keys - lost : 0;
        int said = (int)n + m->quirks.count;

        if (!sim_mgmt_up(m, i))
            continue;
        printf("Keys on %s:\n", sim_mgmt_name(m, i, name, sizeof name));
        if (m->quirks.findkey)
            printf("Total number of keys present: %d Number of matching keys from start index 0::%d\nHandles of matching keys: ",
                   said, said - 1);
        else
            printf("Number of keys found %d\nnumber of keys matched from start index 0::%d\n", said, said);
        (void)list_keys(m, i);
        printf("\n");
        if (hash)
            hash_keys(m, i);
        printf("findAllKeys success on %s\n", name);
    }
}

void sim_mgmt_find_single(const struct sim_mgmt *m, unsigned long handle)
{
    bool everywhere = true;

    for (size_t i = 0; i < m->world.servers; i++)
        everywhere &= handle >= SIM_MGMT_HANDLE && has_key(m, i, handle - SIM_MGMT_HANDLE);
    printf("Cfm3FindKey returned: %s\n\n\tCluster Status:\n",
           everywhere ? "0x00 : HSM Return: SUCCESS" : "0xa8 : HSM Error: Invalid object handle is passed to this operation");
    for (size_t i = m->world.servers; i-- > 0;)
        printf("\tNode id %zu status: %s\n", i + 1,
               handle >= SIM_MGMT_HANDLE && has_key(m, i, handle - SIM_MGMT_HANDLE)
                   ? "0x00000000 : HSM Return: SUCCESS"
                   : "0x000000a8 : HSM Error: Invalid object handle is passed to this operation");
}
