// The one function of highgui that waits for keys. Windows has its own in display_windows.c.
#include "window.h"

#include <opencv2/highgui.hpp>

int ops_display_key(int milliseconds) { return cv::waitKeyEx(milliseconds); }
