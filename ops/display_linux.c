// The display behind highgui's windows: GTK 3 on X11 or Wayland. Both are looked up at run time, so that the library
// loads without them. GTK treats a process as its own. What a guest must not do, this file prevents or undoes.
#include "window.h"

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef SHMCV_GLIB // GLib's headers are there; scripts/native.sh looks for them
#include <glib.h>
#endif

#include "thread.h"

#include "_cgo_export.h"

typedef void Display;
typedef int (*io_error_handler)(Display *);
typedef int (*error_handler)(Display *, void *event);
typedef struct { int x, y, width, height; } rectangle; // GdkRectangle

static struct {
    int (*gtk_init_check)(int *, char ***);
    void (*gtk_disable_setlocale)(void);
    void (*gdk_set_allowed_backends)(const char *);
    void *(*gdk_display_get_default)(void);
    Display *(*gdk_x11_display_get_xdisplay)(void *);
    unsigned (*g_log_set_handler)(const char *, int, void (*)(const char *, int, const char *, void *), void *);
    size_t (*g_socket_get_type)(void);
    void *(*g_type_class_ref)(size_t);
    // GTK 3.22 and later; NULL before.
    void *(*gdk_display_get_primary_monitor)(void *);
    void *(*gdk_display_get_monitor)(void *, int);
    void (*gdk_monitor_get_workarea)(void *, rectangle *);
#ifdef SHMCV_GLIB
    __typeof__(&g_log_set_writer_func) g_log_set_writer_func;
    __typeof__(&g_log_writer_default) g_log_writer_default;
#endif
} gtk;

// NULL if GTK is built without X11.
static struct {
    io_error_handler (*XSetIOErrorHandler)(io_error_handler);
    error_handler (*XSetErrorHandler)(error_handler);
    void (*XSetIOErrorExitHandler)(Display *, void (*)(Display *, void *), void *); // libX11 1.7 and later
    int (*XConnectionNumber)(Display *);
    void (*XUnlockDisplay)(Display *);
} x11;

static pthread_t window_thread;
static Display *display; // NULL until it is open, and on Wayland
static atomic_int lost;
static io_error_handler hosts_io_error_handler;
static error_handler hosts_error_handler;

const char *ops_display_name(void) {
    const char *name = getenv("DISPLAY");
    if (!name || !*name) name = getenv("WAYLAND_DISPLAY");
    return name && *name ? name : NULL;
}

void ops_display_sleep(int milliseconds) { (void)milliseconds; }

static const char *const gtk_domains[] = {"Gtk", "Gdk", "GdkPixbuf", "Pango", "Atk", "dbind", "dconf", "GVFS",
                                          "GLib", "GLib-GObject", "GLib-GIO"};
enum { GTK_DOMAINS = sizeof gtk_domains / sizeof *gtk_domains };

static int is_gtk_domain(const char *domain) {
    for (int i = 0; i < GTK_DOMAINS; i++)
        if (strcmp(domain, gtk_domains[i]) == 0) return 1;
    return 0;
}

static void quiet(const char *domain, int level, const char *message, void *data) {
    (void)domain, (void)level, (void)message, (void)data;
}

#ifdef SHMCV_GLIB
static GLogWriterOutput quiet_writer(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data) {
    for (gsize i = 0; i < count; i++)
        if (strcmp(fields[i].key, "GLIB_DOMAIN") == 0 && is_gtk_domain(fields[i].value)) return G_LOG_WRITER_HANDLED;
    return gtk.g_log_writer_default(level, fields, count, data);
}
#endif

// Keeps GTK's warnings off the host's standard error. GLib has a single log writer. A host that has loaded GLib may
// have set its own. Then, and in a library that was built without GLib's headers, GTK is silenced as far as it uses
// handlers.
static void silence_gtk(int host_has_glib) {
#ifdef SHMCV_GLIB
    if (!host_has_glib) {
        gtk.g_log_set_writer_func(quiet_writer, NULL, NULL);
        return;
    }
#else
    (void)host_has_glib;
#endif
    const int all_levels = -1;
    for (int i = 0; i < GTK_DOMAINS; i++) gtk.g_log_set_handler(gtk_domains[i], all_levels, quiet, NULL);
}

static int load_gtk(void) {
    if (gtk.gtk_init_check) return 1;
    void *glib = dlopen("libglib-2.0.so.0", RTLD_NOW | RTLD_NOLOAD);
    void *library = dlopen("libgtk-3.so.0", RTLD_NOW);
    if (!library) return 0;
#define FIND(in, from, name) ((in).name = (__typeof__((in).name))dlsym((from), #name))
    if (!FIND(gtk, library, gtk_disable_setlocale) || !FIND(gtk, library, gdk_set_allowed_backends) ||
        !FIND(gtk, library, gdk_display_get_default) || !FIND(gtk, library, g_log_set_handler) ||
        !FIND(gtk, library, g_socket_get_type) || !FIND(gtk, library, g_type_class_ref) ||
        !FIND(gtk, library, gtk_init_check))
        return 0;
#ifdef SHMCV_GLIB
    if (!FIND(gtk, library, g_log_set_writer_func) || !FIND(gtk, library, g_log_writer_default)) {
        gtk.gtk_init_check = NULL;
        return 0;
    }
#endif
    FIND(gtk, library, gdk_display_get_primary_monitor);
    FIND(gtk, library, gdk_display_get_monitor);
    FIND(gtk, library, gdk_monitor_get_workarea);
    void *xlib = dlopen("libX11.so.6", RTLD_NOW | RTLD_NOLOAD);
    if (FIND(gtk, library, gdk_x11_display_get_xdisplay) && xlib) {
        FIND(x11, xlib, XSetIOErrorHandler);
        FIND(x11, xlib, XSetErrorHandler);
        FIND(x11, xlib, XSetIOErrorExitHandler);
        FIND(x11, xlib, XConnectionNumber);
        FIND(x11, xlib, XUnlockDisplay);
    }
#undef FIND
    silence_gtk(glib != NULL);
    gtk.gtk_disable_setlocale();
    return 1;
}

// The connection to the display server is broken. Xlib would end the process when this function returns, as GDK's own
// handler does, and GTK cannot be called again. So the window thread never returns from here.
static int on_io_error(Display *on) {
    if (on != display) return hosts_io_error_handler ? hosts_io_error_handler(on) : 0;
    atomic_store(&lost, 1);
    if (pthread_equal(pthread_self(), window_thread)) {
        // Xlib holds this lock. exit(), which may be called on another thread, must find it free.
        if (x11.XUnlockDisplay) x11.XUnlockDisplay(on);
        opsDisplayLost(); // wakes the callers that wait, and does not return
    }
    return 0; // on a thread of the host's that runs exit(): go_on lets it go on
}

static void go_on(Display *on, void *data) { (void)on, (void)data; }

// A request has failed, for example for want of memory in the server. GDK would abort the process.
static int on_error(Display *on, void *event) {
    if (on != display && hosts_error_handler) return hosts_error_handler(on, event);
    return 0;
}

static int is_open;

static int open_display(void) {
    window_thread = pthread_self();
    ops_thread_hold_signals(); // also SIGPIPE, which writing to a display server that has gone would raise
    if (!load_gtk()) return OPS_DISPLAY_MISSING;
    if (gtk.gdk_display_get_default()) return OPS_DISPLAY_TAKEN;
    gtk.gdk_set_allowed_backends("x11,wayland"); // in this order: a process survives the end of X11, not of Wayland
    if (x11.XSetIOErrorHandler) hosts_io_error_handler = x11.XSetIOErrorHandler(NULL);
    if (x11.XSetErrorHandler) hosts_error_handler = x11.XSetErrorHandler(NULL);
    is_open = gtk.gtk_init_check(NULL, NULL);
    // GDK's handlers exit and abort. They make way for ours, or for the host's if GTK has not started.
    if (x11.XSetIOErrorHandler) x11.XSetIOErrorHandler(is_open ? on_io_error : hosts_io_error_handler);
    if (x11.XSetErrorHandler) x11.XSetErrorHandler(is_open ? on_error : hosts_error_handler);
    if (!is_open) return OPS_DISPLAY_REFUSED;
    // The result is NULL on Wayland.
    if (x11.XSetIOErrorHandler) display = gtk.gdk_x11_display_get_xdisplay(gtk.gdk_display_get_default());
    if (display && x11.XSetIOErrorExitHandler) x11.XSetIOErrorExitHandler(display, go_on, NULL);
    return OPS_DISPLAY_OPEN;
}

int ops_display_open(void) {
    if (is_open) return ops_display_check();
    // GTK makes the whole process ignore SIGPIPE, and GIO does so with its first socket, on any thread. They have no
    // need to: GIO writes with MSG_NOSIGNAL, and this thread and GTK's hold SIGPIPE. So both do it now, and it is
    // undone.
    struct sigaction hosts;
    sigaction(SIGPIPE, NULL, &hosts);
    const int answer = open_display();
    if (answer == OPS_DISPLAY_OPEN) gtk.g_type_class_ref(gtk.g_socket_get_type());
    sigaction(SIGPIPE, &hosts, NULL);
    return answer;
}

int ops_display_check(void) {
    if (atomic_load(&lost)) return OPS_DISPLAY_LOST;
    if (!display || !x11.XConnectionNumber) return OPS_DISPLAY_OPEN;
    // If the end is seen here, the window thread is spared the call that never returns.
    struct pollfd socket = {.fd = x11.XConnectionNumber(display)};
    if (poll(&socket, 1, 0) > 0 && socket.revents & (POLLHUP | POLLERR | POLLNVAL)) {
        atomic_store(&lost, 1);
        return OPS_DISPLAY_LOST;
    }
    return OPS_DISPLAY_OPEN;
}

int ops_display_work_area(int *width, int *height) {
    if (!gtk.gdk_display_get_primary_monitor || !gtk.gdk_display_get_monitor || !gtk.gdk_monitor_get_workarea) return 0;
    void *on = gtk.gdk_display_get_default();
    void *monitor = gtk.gdk_display_get_primary_monitor(on);
    if (!monitor) monitor = gtk.gdk_display_get_monitor(on, 0); // a display need not have a primary monitor
    if (!monitor) return 0;
    rectangle area = {0};
    gtk.gdk_monitor_get_workarea(monitor, &area);
    *width = area.width, *height = area.height;
    return area.width > 0 && area.height > 0;
}
