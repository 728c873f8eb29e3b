/* close_window TITLE: asks the window of that title to close, as a window manager does when the user clicks on its X.
 * xdotool has the command windowquit for it, but not in the version of every system. */
#include <X11/Xlib.h>

#include <stdio.h>
#include <string.h>

static Window find(Display *display, Window from, const char *title) {
    char *name = NULL;
    if (XFetchName(display, from, &name) != 0) {
        const int same = strcmp(name, title) == 0;
        XFree(name);
        if (same) return from;
    }
    Window root, parent, *children = NULL, found = 0;
    unsigned count = 0;
    if (XQueryTree(display, from, &root, &parent, &children, &count) == 0) return 0;
    for (unsigned i = 0; i < count && found == 0; i++) found = find(display, children[i], title);
    if (children != NULL) XFree(children);
    return found;
}

int main(int argc, char **argv) {
    Display *display = argc == 2 ? XOpenDisplay(NULL) : NULL;
    if (display == NULL) return 2;
    const Window window = find(display, DefaultRootWindow(display), argv[1]);
    if (window == 0) {
        fprintf(stderr, "no window '%s'\n", argv[1]);
        return 1;
    }
    XEvent event = {0};
    event.xclient.type = ClientMessage;
    event.xclient.window = window;
    event.xclient.message_type = XInternAtom(display, "WM_PROTOCOLS", False);
    event.xclient.format = 32;
    event.xclient.data.l[0] = (long)XInternAtom(display, "WM_DELETE_WINDOW", False);
    event.xclient.data.l[1] = CurrentTime;
    XSendEvent(display, window, False, NoEventMask, &event);
    XCloseDisplay(display);
    return 0;
}
