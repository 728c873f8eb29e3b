namespace ShmCv;

public sealed partial class SharedImage
{
    /// <summary>Draws the image in the window of that name, which opens if need be: see <see cref="Window"/>.</summary>
    /// <param name="window">The window's name, which is also its title.</param>
    /// <exception cref="ShmCvNoDisplayException">There is no display; the message says what is missing.</exception>
    /// <exception cref="ShmCvNoImageException">The segment holds no image.</exception>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Invalid"/>: the name is empty.</exception>
    /// <exception cref="ObjectDisposedException">This object is disposed.</exception>
    public void Show(string window)
    {
        Argument.Text(window);
        using var call = _handle.Use();
        Error.Check(NativeMethods.shmcv_show(window, call.Segment));
    }
}

/// <summary>
/// Windows to look at images in. They need a display; without one every program runs as well, and <see cref="Show"/>
/// throws <see cref="ShmCvNoDisplayException"/>. Windows are drawn while some thread is in <see cref="Delay(int)"/>.
/// </summary>
public static class Window
{
    /// <summary>
    /// Draws an image in the window of that name, which opens if need be. The window shows the pixels as they are now; show
    /// again when they have changed. A window that the user has closed is opened anew.
    /// </summary>
    /// <param name="name">The window's name, which is also its title.</param>
    /// <param name="image">The image.</param>
    /// <exception cref="ShmCvNoDisplayException">There is no display; the message says what is missing.</exception>
    /// <exception cref="ShmCvNoImageException">The segment holds no image.</exception>
    /// <exception cref="ShmCvException"><see cref="ErrorCode.Invalid"/>: the name is empty.</exception>
    /// <exception cref="ObjectDisposedException"><paramref name="image"/> is disposed.</exception>
    public static void Show(string name, SharedImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        image.Show(name);
    }

    /// <summary>
    /// Lets the windows live for a time, or until a key is pressed in one of them. Where no window is open there is nobody
    /// to press a key: it sleeps for the time.
    /// </summary>
    /// <param name="milliseconds">How long; 0 or less waits for a key without an end, and returns at once where no window
    /// is open.</param>
    /// <returns>The key's character code, 0 to 255, or -1 when the time is up.</returns>
    public static int Delay(int milliseconds)
    {
        Error.Check(NativeMethods.shmcv_delay(milliseconds, out var key));
        return key;
    }

    /// <summary>As <see cref="Delay(int)"/>, until the token is cancelled; that is noticed within 100 ms.</summary>
    /// <param name="milliseconds">How long; 0 or less waits for a key or the token without an end.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The key's character code, 0 to 255, or -1 when the time is up.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static int Delay(int milliseconds, CancellationToken cancellationToken)
    {
        const int Slice = 100;
        var started = Environment.TickCount64;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var left = milliseconds <= 0 ? Slice : milliseconds - (Environment.TickCount64 - started);
            if (left <= 0)
            {
                return -1;
            }

            var key = Delay((int)Math.Min(left, Slice));
            if (key >= 0)
            {
                return key;
            }
        }
    }

    /// <summary>Closes the window of that name. One that is not open is no error.</summary>
    /// <param name="name">The window's name.</param>
    public static void Close(string name)
    {
        Argument.Text(name);
        Error.Check(NativeMethods.shmcv_close_window(name));
    }

    /// <summary>Closes all windows that this process has opened here.</summary>
    public static void CloseAll() => Error.Check(NativeMethods.shmcv_close_windows());
}
