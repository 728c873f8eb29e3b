using System.Diagnostics.CodeAnalysis;

namespace ShmCv;

/// <summary>
/// The tutorial's class, with its methods and arguments: images in segments that are given by name. Programs that were
/// written for that class keep working, and share their segments with all programs that use this library. New programs
/// should use <see cref="Segment"/>, where an image knows its own geometry.
/// </summary>
/// <remarks>
/// <para>Any process may have created the segments, in any language. <c>height</c>, <c>width</c> and <c>channel</c> say
/// what the pixels are: 8-bit gray (1), BGR (3) or BGRA (4), rows without gaps. If the segment holds an image of that
/// size already, its description stays as it is.</para>
/// <para>Every method may be called from every thread. The exceptions are those of <see cref="Segment"/>.</para>
/// </remarks>
[SuppressMessage("Performance", "CA1822", Justification = "The tutorial's methods are all called on an object.")]
public sealed class ImageLoader : IDisposable
{
    // The segment that was used last under each name. While one object has a segment open, opening another is cheap,
    // and a foreign segment keeps its image. Each call opens the name again, because it may mean another segment by
    // now.
    private readonly Dictionary<string, Segment> _kept = new(StringComparer.Ordinal);
    private bool _disposed;

    /// <summary>Makes a segment.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="size">Bytes for pixels.</param>
    /// <exception cref="ShmCvExistsException">The name is taken.</exception>
    public void CreateShareMemory(string name, long size) => Keep(name, Segment.Create(name, size));

    /// <summary>Removes a segment's name, whichever process created it.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ShmCvNotFoundException">There is none of that name.</exception>
    public void ClearShareMemory(string name)
    {
        Segment.Clear(name);
        lock (_kept)
        {
            if (_kept.Remove(name, out var segment))
            {
                segment.Dispose();
            }
        }
    }

    /// <summary>Removes the names of all segments that this process created and that are still there.</summary>
    public void ClearAllShareMemory()
    {
        Segment.ClearAll();
        CloseKept();
    }

    /// <summary>Decodes an image file into a segment as 8-bit BGR.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shareName">The segment's name.</param>
    /// <returns>The image's height and width in pixels, and its number of channels.</returns>
    public (int Height, int Width, int Channels) Load(string path, string shareName)
    {
        using var segment = Open(shareName);
        var image = segment.Load(path);
        return (image.Height, image.Width, image.Channels);
    }

    /// <summary>Decodes an image file into a segment: a part of the image, smaller or larger, in the order that is wanted.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shareName">The segment's name.</param>
    /// <param name="options">What of the image is wanted, and how large.</param>
    /// <returns>The image's height and width in pixels, and its number of channels.</returns>
    public (int Height, int Width, int Channels) Load(string path, string shareName, LoadOptions options)
    {
        using var segment = Open(shareName);
        var image = segment.Load(path, options);
        return (image.Height, image.Width, image.Channels);
    }

    /// <summary>Draws a segment's pixels in the window of that name.</summary>
    /// <param name="windowName">The window.</param>
    /// <param name="shareName">The segment.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="channel">Samples in a pixel.</param>
    /// <exception cref="ShmCvNoDisplayException">There is no display.</exception>
    public void Show(string windowName, string shareName, int height, int width, int channel)
    {
        using var segment = Open(shareName, height, width, channel);
        segment.Show(windowName);
    }

    /// <summary>Lets the windows live for a time, or until a key is pressed in one of them.</summary>
    /// <param name="milliseconds">The time.</param>
    /// <returns>
    /// The key as OpenCV's waitKey tells it, or -1 if no key was pressed: the low byte alone, in which an arrow key is a
    /// letter. <see cref="Window.Delay(int)"/> tells them apart.
    /// </returns>
    public int Delay(int milliseconds)
    {
        var key = Window.Delay(milliseconds);
        return key == Constants.NoKey ? key : key & 0xFF;
    }

    /// <summary>Closes all windows.</summary>
    public void CloseWindows() => Window.CloseAll();

    /// <summary>Mirrors the pixels of one segment into another.</summary>
    /// <param name="shareNameSource">The segment with the image.</param>
    /// <param name="shareNameDestination">The segment that gets the result. The same name flips in place.</param>
    /// <param name="direction">0 changes top and bottom, 1 left and right, -1 both.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="channel">Samples in a pixel.</param>
    public void Flip(
        string shareNameSource, string shareNameDestination, int direction, int height, int width, int channel)
    {
        using var source = Open(shareNameSource, height, width, channel);
        using var destination = Open(shareNameDestination);
        source.FlipInto(destination, (FlipCode)direction);
    }

    /// <summary>Writes a segment's pixels to a file, in the format that its extension names.</summary>
    /// <param name="fileName">The file.</param>
    /// <param name="shareName">The segment.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="channel">Samples in a pixel.</param>
    public void SaveImage(string fileName, string shareName, int height, int width, int channel)
    {
        using var segment = Open(shareName, height, width, channel);
        segment.Save(fileName);
    }

    /// <summary>Opens a segment, for work that the methods of this class do not do.</summary>
    /// <param name="shareName">The segment.</param>
    /// <returns>The segment, which the caller disposes of.</returns>
    public Segment Open(string shareName)
    {
        lock (_kept)
        {
            ObjectDisposedException.ThrowIf(_disposed, this); // whether there is such a segment or not
        }

        var segment = Segment.Open(shareName);
        try
        {
            Keep(shareName, Segment.Open(shareName));
            return segment;
        }
        catch
        {
            segment.Dispose();
            throw;
        }
    }

    /// <summary>Opens a segment as <see cref="Open(string)"/> does, and gives it an image of that size.</summary>
    /// <param name="shareName">The segment.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="channel">Samples in a pixel.</param>
    /// <returns>The segment, which the caller disposes of.</returns>
    public Segment Open(string shareName, int height, int width, int channel)
    {
        var wanted = new ImageInfo(width, height, OrderOf(channel));
        var segment = Open(shareName);
        try
        {
            if (!segment.TryGetImage(out var found)
                || (found.Height, found.Width, found.Channels) != (height, width, channel))
            {
                segment.Image = wanted;
            }

            return segment;
        }
        catch
        {
            segment.Dispose();
            throw;
        }
    }

    /// <summary>Ends this loader's use of its segments. The segments stay, under their names.</summary>
    public void Dispose()
    {
        lock (_kept)
        {
            _disposed = true;
        }

        CloseKept();
    }

    private static ColorOrder OrderOf(int channel) => channel switch
    {
        1 => ColorOrder.Gray,
        3 => ColorOrder.Bgr,
        4 => ColorOrder.Bgra,
        _ => throw new ArgumentOutOfRangeException(nameof(channel), channel, "An image has 1, 3 or 4 channels."),
    };

    private void Keep(string name, Segment segment)
    {
        lock (_kept)
        {
            if (_disposed)
            {
                segment.Dispose();
                throw new ObjectDisposedException(nameof(ImageLoader));
            }

            _kept.Remove(name, out var before);
            _kept.Add(name, segment);
            before?.Dispose();
        }
    }

    private void CloseKept()
    {
        lock (_kept)
        {
            foreach (var segment in _kept.Values)
            {
                segment.Dispose();
            }

            _kept.Clear();
        }
    }
}
