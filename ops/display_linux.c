// The display behind highgui's windows: GTK 3 on X11 or Wayland, looked up at run time so that the library needs
// neither to be loaded. What GTK does to its process that a guest must not do is undone or kept from it here.
#include "window.h"

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "_cgo_export.h"

typedef void Display;
typedef int (*io_error_handler)(Display *);
typedef int (*error_handler)(Display *, void *event);

struct g_log_field {
    const char *key;
    const void *value;
    ssize_t length;
};
typedef int (*g_log_writer)(int level, const struct g_log_field *fields, size_t count, void *data);

static struct {
    int (*gtk_init_check)(int *, char ***);
    void (*gtk_disable_setlocale)(void);
    void (*gdk_set_allowed_backends)(const char *);
    void *(*gdk_display_get_default)(void);
    Display *(*gdk_x11_display_get_xdisplay)(void *);
    unsigned (*g_log_set_handler)(const char *, int, void (*)(const char *, int, const char *, void *), void *);
    size_t (*g_socket_get_type)(void);
    void *(*g_type_class_ref)(size_t);
    void (*g_log_set_writer_func)(g_log_writer, void *, void (*)(void *));
    int (*g_log_writer_default)(int, const struct g_log_field *, size_t, void *);
} gtk;

// Absent where GTK is built without X11.
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

static int quiet_writer(int level, const struct g_log_field *fields, size_t count, void *data) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].key, "GLIB_DOMAIN") == 0 && is_gtk_domain(fields[i].value)) return 1; // handled
    return gtk.g_log_writer_default(level, fields, count, data);
}

// Keeps GTK's warnings off the host's standard error. There can be but one writer; a host that has brought GLib along
// may have set its own, and then GTK is silenced as far as it speaks through handlers.
static void silence_gtk(int host_has_glib) {
    if (!host_has_glib) {
        gtk.g_log_set_writer_func(quiet_writer, NULL, NULL);
        return;
    }
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
        !FIND(gtk, library, g_log_set_writer_func) || !FIND(gtk, library, g_log_writer_default) ||
        !FIND(gtk, library, gtk_init_check))
        return 0;
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

// The connection to the display server is broken. Xlib would end the process when this returns, as GDK's own handler
// does, and GTK is not made to be called again. So the window thread never comes back from here.
static int on_io_error(Display *on) {
    if (on != display) return hosts_io_error_handler ? hosts_io_error_handler(on) : 0;
    atomic_store(&lost, 1);
    if (pthread_equal(pthread_self(), window_thread)) {
        // Xlib has taken this lock for the time of exit(), which may come on another thread, and must find it free.
        if (x11.XUnlockDisplay) x11.XUnlockDisplay(on);
        opsDisplayLost(); // tells those who wait, and stays
    }
    return 0; // a thread of the host's that runs exit(): there is an exit handler that lets it go on
}

static void go_on(Display *on, void *data) { (void)on, (void)data; }

// A request has failed, for instance for want of memory in the server. GDK would abort.
static int on_error(Display *on, void *event) {
    if (on != display && hosts_error_handler) return hosts_error_handler(on, event);
    return 0;
}

// Nobody's signals are handled on this thread, nor on those that GTK starts from it; and writing to a display server
// that has gone must not raise SIGPIPE.
static void block_signals(void) {
    sigset_t set;
    sigfillset(&set);
    const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    for (size_t i = 0; i < sizeof synchronous / sizeof *synchronous; i++) sigdelset(&set, synchronous[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static int is_open;

static int open_display(void) {
    window_thread = pthread_self();
    block_signals();
    if (!load_gtk()) return OPS_DISPLAY_NO_GTK;
    if (gtk.gdk_display_get_default()) return OPS_DISPLAY_TAKEN;
    gtk.gdk_set_allowed_backends("x11,wayland"); // in this order: X11's end can be survived, Wayland's cannot
    if (x11.XSetIOErrorHandler) hosts_io_error_handler = x11.XSetIOErrorHandler(NULL);
    if (x11.XSetErrorHandler) hosts_error_handler = x11.XSetErrorHandler(NULL);
    is_open = gtk.gtk_init_check(NULL, NULL);
    // GDK's handlers, which exit and abort, make way for ours; where it has failed, for the host's.
    if (x11.XSetIOErrorHandler) x11.XSetIOErrorHandler(is_open ? on_io_error : hosts_io_error_handler);
    if (x11.XSetErrorHandler) x11.XSetErrorHandler(is_open ? on_error : hosts_error_handler);
    if (!is_open) return OPS_DISPLAY_REFUSED;
    // NULL on Wayland
    if (x11.XSetIOErrorHandler) display = gtk.gdk_x11_display_get_xdisplay(gtk.gdk_display_get_default());
    if (display && x11.XSetIOErrorExitHandler) x11.XSetIOErrorExitHandler(display, go_on, NULL);
    return OPS_DISPLAY_OPEN;
}

int ops_display_open(void) {
    if (is_open) return ops_display_check();
    // GTK, and GIO with its first socket on whatever thread, have the whole process ignore SIGPIPE. They need it not:
    // GIO writes with MSG_NOSIGNAL, and the threads here have it blocked. So both do that now, and it is taken back.
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
    // Seeing the end here spares the thread that never comes back.
    struct pollfd socket = {.fd = x11.XConnectionNumber(display)};
    if (poll(&socket, 1, 0) > 0 && socket.revents & (POLLHUP | POLLERR | POLLNVAL)) {
        atomic_store(&lost, 1);
        return OPS_DISPLAY_LOST;
    }
    return OPS_DISPLAY_OPEN;
}
