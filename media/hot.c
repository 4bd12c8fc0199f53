/* The loop of media/fanout.py once more, for where a C compiler is: optional, and loaded by media/accelerator.py.

   It knows neither Python nor libsrtp, whose function it is given, and is linked against nothing. Whoever calls has
   checked that what is written fits, and that `picture_at` and `layer_zero_at` lie within the packet. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

typedef int protect_function(void *session, void *packet, int *length);

/* As accelerator.py packs them. */
struct row {
    void *session;
    void *name;
    uint32_t name_length, sequence_offset, timestamp_offset, ssrc, picture, layer_zero;
};

struct packet {
    uint32_t at, length, size; /* in `data`; and with what protection adds */
    uint32_t number, timestamp;
    uint32_t picture_at, picture, picture_bits; /* 7, 15 or 16; 0 for none */
    uint32_t layer_zero_at, layer_zero;         /* 0: none */
};

struct run {
    void *control;
    uint32_t control_length, size;
};

_Static_assert(sizeof(struct row) == 40 && sizeof(struct packet) == 40 && sizeof(struct run) == 16, "as packed");

static const char source[] = TONGKE_SOURCE;

/* The digest of the source this was made from. */
const char *hot_source(void) { return source; }

static void shift(uint8_t *at, const struct packet *packet, const struct row *row) {
    uint32_t picture = packet->picture + row->picture;
    uint8_t *to = at + packet->picture_at;
    if (packet->picture_bits == 7) {
        to[0] = picture & 0x7F;
    } else {
        to[0] = packet->picture_bits == 15 ? 0x80 | (picture >> 8 & 0x7F) : picture >> 8;
        to[1] = picture;
    }
    if (packet->layer_zero_at)
        at[packet->layer_zero_at] = packet->layer_zero + row->layer_zero;
}

/* Write and protect all packets for every row, one behind the other. Returns how many packets SRTP refused. */
int hot_write(protect_function *protect, const struct row *rows, int row_count, const struct packet *packets,
              int packet_count, const uint8_t *data, uint8_t *at) {
    int refused = 0;
    for (const struct row *row = rows; row < rows + row_count; row++) {
        for (const struct packet *packet = packets; packet < packets + packet_count; packet++) {
            int length = packet->length;
            uint16_t sequence = htons(packet->number + row->sequence_offset);
            uint32_t timestamp = htonl(packet->timestamp + row->timestamp_offset), ssrc = htonl(row->ssrc);
            memcpy(at, data + packet->at, packet->length);
            memcpy(at + 2, &sequence, 2);
            memcpy(at + 4, &timestamp, 4);
            memcpy(at + 8, &ssrc, 4);
            if (packet->picture_bits && (row->picture || row->layer_zero))
                shift(at, packet, row);
            if (protect(row->session, at, &length) || length != (int)packet->size) {
                refused++;
                memset(at, 0, packet->size); /* plain text must not leave */
            }
            at += packet->size;
        }
    }
    return refused;
}

/* Address what was written: a message for each run of each row. */
void hot_address(const struct row *rows, int row_count, const struct run *runs, int run_count, uint8_t *at,
                 struct mmsghdr *header, struct iovec *vector) {
    for (const struct row *row = rows; row < rows + row_count; row++) {
        for (const struct run *run = runs; run < runs + run_count; run++, header++, vector++) {
            vector->iov_base = at;
            vector->iov_len = run->size;
            at += run->size;
            memset(header, 0, sizeof *header);
            header->msg_hdr.msg_name = row->name;
            header->msg_hdr.msg_namelen = row->name_length;
            header->msg_hdr.msg_iov = vector;
            header->msg_hdr.msg_iovlen = 1;
            header->msg_hdr.msg_control = run->control;
            header->msg_hdr.msg_controllen = run->control_length;
        }
    }
}
