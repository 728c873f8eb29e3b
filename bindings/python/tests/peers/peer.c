/* One party of test_peers.py, which describes what it does. */
#include <shmcv.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int32_t status) {
    if (status == SHMCV_OK) return;
    char why[SHMCV_MESSAGE_SIZE];
    shmcv_last_error(why, sizeof why);
    printf("%s\n", why);
    exit(1);
}

static void produce(shmcv_stream stream) {
    uint64_t sequence = 0;
    for (unsigned count; scanf("%u", &count) == 1;) {
        while (count-- > 0) {
            shmcv_frame frame;
            void *pixels;
            const uint32_t width = 64 + (uint32_t)((sequence + 1) % 3);
            const shmcv_image_info image = {
                .width = width, .height = 48, .channels = 1, .depth = SHMCV_DEPTH_U8, .order = SHMCV_ORDER_GRAY};
            check(shmcv_stream_begin(stream, 0, &frame));
            check(shmcv_data(frame.pixels, &pixels, NULL));
            memset(pixels, (int)((sequence + 1) & 0xff), (size_t)width * 48);
            check(shmcv_image_set(frame.pixels, &image));
            check(shmcv_frame_publish(frame, &sequence));
        }
        printf("%" PRIu64 "\n", sequence);
        fflush(stdout);
    }
}

static void consume(shmcv_stream stream, uint64_t last) {
    shmcv_frame_info info = {0};
    while (info.sequence < last) {
        shmcv_frame frame;
        void *data;
        check(shmcv_stream_wait(stream, info.sequence, -1, &frame, &info));
        check(shmcv_data(frame.pixels, &data, NULL));
        const unsigned char *pixels = data;
        int whole = info.image.width == 64 + info.sequence % 3 && info.image.height == 48;
        for (uint32_t i = 0; i < info.image.width * 48; i++) whole &= pixels[i] == (info.sequence & 0xff);
        printf("%" PRIu64 " %s\n", info.sequence, whole ? "whole" : "torn");
        fflush(stdout);
        check(shmcv_frame_close(frame));
    }
}

int main(int argc, char **argv) {
    shmcv_stream stream;
    if (argc != 4) return 2;
    check(shmcv_stream_open(argv[2], 0, &stream));
    puts("ready");
    fflush(stdout);
    if (strcmp(argv[1], "produce") == 0)
        produce(stream);
    else
        consume(stream, strtoull(argv[3], NULL, 10));
}
