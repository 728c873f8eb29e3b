/* A camera that needs no hardware: it draws a moving scene, and publishes each picture with the time of its capture and
 * metadata, until Ctrl-C.
 *
 *     cc c-sample/camera.c -Iinclude -Lbuild -lshmcv -Wl,-rpath,"$PWD/build" -o camera
 *     ./camera [stream] [frames a second]
 *
 * python-sample/overlay.py reads its stream, and csharp-sample/recorder that one's. Each of the three may start first, and
 * may end, be killed and start again at any time.                                                                        */
#define _POSIX_C_SOURCE 200809L
#include <shmcv.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef _WIN32
#include <windows.h>
#else
#include <time.h>
#endif

enum { WIDTH = 640, HEIGHT = 480, CHANNELS = 3, RADIUS = 40, SLOTS = 6 }; /* for four readers, and 2 more */

/* A function that fails returns a negative code, and leaves a message with the reason. */
static void check(int32_t status) {
    if (status == SHMCV_OK) return;
    char why[SHMCV_MESSAGE_SIZE];
    shmcv_last_error(why, sizeof why);
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static volatile sig_atomic_t stopped;
static void stop(int signal) { (void)signal, stopped = 1; }

/* There and back again, between 0 and limit. */
static unsigned bounce(unsigned n, unsigned limit) {
    n %= 2 * limit;
    return n < limit ? n : 2 * limit - n;
}

/* The scene is made of the frame's number alone: a yellow ball before blue waves. */
static void draw(unsigned char *pixels, unsigned number) {
    const int ball_x = RADIUS + 10 + (int)bounce(5 * number, WIDTH - 2 * RADIUS - 20);
    const int ball_y = RADIUS + 10 + (int)bounce(3 * number, HEIGHT - 2 * RADIUS - 20);
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++, pixels += CHANNELS) {
            const unsigned wave = bounce((unsigned)(x + y) + 4 * number, 127);
            const int dx = x - ball_x, dy = y - ball_y;
            const int ball = dx * dx + dy * dy < RADIUS * RADIUS;
            pixels[0] = (unsigned char)(ball ? 0 : 64 + wave); /* blue, green, red */
            pixels[1] = (unsigned char)(ball ? 200 : 32 + wave / 2);
            pixels[2] = (unsigned char)(ball ? 255 : 32);
        }
    }
}

/* The time on the clock of the library's frames, in nanoseconds, and a sleep until then. Ctrl-C may end the sleep. */
#ifdef _WIN32
static uint64_t now(void) {
    LARGE_INTEGER ticks, second;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&second);
    const uint64_t seconds = (uint64_t)(ticks.QuadPart / second.QuadPart), rest = (uint64_t)(ticks.QuadPart % second.QuadPart);
    return seconds * 1000000000 + rest * 1000000000 / (uint64_t)second.QuadPart;
}

static void sleep_until(uint64_t time) {
    const uint64_t since = now();
    if (time > since) Sleep((DWORD)((time - since) / 1000000));
}
#else
static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void sleep_until(uint64_t time) {
    const struct timespec at = {.tv_sec = (time_t)(time / 1000000000), .tv_nsec = (long)(time % 1000000000)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}
#endif

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "camera";
    const double rate = argc > 2 ? atof(argv[2]) : 30;
    if (argc > 3 || !(rate > 0)) {
        fprintf(stderr, "usage: %s [stream] [frames a second]\n", argv[0]);
        return 2;
    }
    signal(SIGINT, stop);
    signal(SIGTERM, stop);

    /* The stream of a camera that was killed serves too: its readers are still there, and get this one's frames. */
    const shmcv_image_info image = {
        .width = WIDTH, .height = HEIGHT, .channels = CHANNELS, .depth = SHMCV_DEPTH_U8, .order = SHMCV_ORDER_BGR};
    shmcv_stream stream;
    check(shmcv_stream_open_or_create(name, WIDTH * HEIGHT * CHANNELS, SLOTS, SHMCV_WHEN_BEHIND_DROP, &stream, NULL));
    printf("the camera publishes %g frames a second in stream %s, until Ctrl-C\n", rate, name);
    fflush(stdout);

    unsigned number = 0;
    const uint64_t period = (uint64_t)(1e9 / rate);
    for (uint64_t next = now(); !stopped; next += period, number++) {
        sleep_until(next);

        /* The frame is a slot in shared memory. No reader sees it before it is published. */
        shmcv_frame frame;
        void *pixels;
        check(shmcv_stream_begin(stream, 0, &frame));
        check(shmcv_data(frame.pixels, &pixels, NULL));
        check(shmcv_image_set(frame.pixels, &image));
        const uint64_t captured = now();
        draw(pixels, number);

        /* Any bytes can travel with a frame. JSON is what Python and C# read most easily. */
        char metadata[100];
        const int size = snprintf(metadata, sizeof metadata, "{\"camera\":{\"frame\":%u,\"exposure_us\":%u}}", number,
                                  8000 + 10 * bounce(number, 200));
        check(shmcv_frame_describe(frame, captured, metadata, (uint64_t)size));
        check(shmcv_frame_publish(frame, NULL));
    }
    printf("the camera has published %u frames\n", number);
    check(shmcv_stream_clear(stream)); /* the name goes; readers wait for the next camera's stream */
    check(shmcv_stream_close(stream));
    return 0;
}
