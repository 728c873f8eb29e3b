namespace ShmCv;

public abstract partial class Pixels
{
    /// <summary>
    /// Draws the image in the window of that name, and opens the window if need be; see <see cref="Window"/>.
    /// </summary>
    /// <param name="window">The window's name, which is also its title.</param>
    /// <exception cref="ShmCvNoDisplayException">There is no display; the message says what is missing.</exception>
    /// <exception cref="ShmCvNoImageException">There is no image.</exception>
    /// <exception cref="ShmCvInvalidException">The name is empty.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public void Show(string window)
    {
        Argument.Text(window);
        using var call = Handle.Use();
        Error.Check(NativeMethods.shmcv_show(window, call.Handle));
    }
}

/// <summary>
/// Windows to look at images in. They need a display. Without a display <see cref="Show"/> throws
/// <see cref="ShmCvNoDisplayException"/>, and everything else works. Windows are drawn while some thread is in
/// <see cref="Delay(int)"/>.
/// </summary>
public static class Window
{
    /// <summary>
    /// Draws an image in the window of that name, and opens the window if need be. The window shows the pixels as they
    /// are now; show again when they have changed. A window that the user has closed is opened again. It has the size of
    /// the image, or, if the screen is smaller, the largest of its proportions that fits on the screen. The user may
    /// resize a window of at least 320 x 240; the image is scaled to it, in its own proportions.
    /// </summary>
    /// <param name="name">The window's name, which is also its title.</param>
    /// <param name="pixels">The segment or frame with the image.</param>
    /// <exception cref="ShmCvNoDisplayException">There is no display; the message says what is missing.</exception>
    /// <exception cref="ShmCvNoImageException">There is no image.</exception>
    /// <exception cref="ShmCvInvalidException">The name is empty.</exception>
    /// <exception cref="ObjectDisposedException"><paramref name="pixels"/> is disposed.</exception>
    public static void Show(string name, Pixels pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        pixels.Show(name);
    }

    /// <summary>
    /// Lets the windows live for a time, or until a key is pressed in one of them. If no window is open, no key can be
    /// pressed, and the method sleeps for the time.
    /// </summary>
    /// <param name="milliseconds">The time. 0 or less waits for a key without an end, and returns at once if no window
    /// is open.</param>
    /// <returns>The key's character code, 0 to 255; or, of a key without a character, its number above 255, such as
    /// <see cref="Constants.KeyLeft"/>; or <see cref="Constants.NoKey"/> if no key was pressed. Shift and the like are no
    /// keys.</returns>
    public static int Delay(int milliseconds)
    {
        Error.Check(NativeMethods.shmcv_delay(milliseconds, out var key));
        return key;
    }

    /// <summary>
    /// Does as <see cref="Delay(int)"/> until the token is cancelled, which is noticed within 100 ms.
    /// </summary>
    /// <param name="milliseconds">The time. 0 or less waits for a key or the token without an end.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The key's character code, 0 to 255; or, of a key without a character, its number above 255, such as
    /// <see cref="Constants.KeyLeft"/>; or <see cref="Constants.NoKey"/> if no key was pressed. Shift and the like are no
    /// keys.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static int Delay(int milliseconds, CancellationToken cancellationToken)
    {
        var started = Environment.TickCount64;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var left = milliseconds <= 0 ? Slice.Milliseconds : milliseconds - (Environment.TickCount64 - started);
            if (left <= 0)
            {
                return Constants.NoKey;
            }

            var key = Delay((int)Math.Min(left, Slice.Milliseconds));
            if (key != Constants.NoKey)
            {
                return key;
            }
        }
    }

    /// <summary>Closes the window of that name. A window that is not open is no error.</summary>
    /// <param name="name">The window's name.</param>
    public static void Close(string name)
    {
        Argument.Text(name);
        Error.Check(NativeMethods.shmcv_close_window(name));
    }

    /// <summary>Closes all windows that this process has opened with this library.</summary>
    public static void CloseAll() => Error.Check(NativeMethods.shmcv_close_windows());
}
