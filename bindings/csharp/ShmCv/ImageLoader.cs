using System.Diagnostics.CodeAnalysis;

namespace ShmCv;

/// <summary>
/// The tutorial's class, its methods and arguments: images in segments that are given by name. Programs that were written
/// against that class keep working, and share their segments with everything else here. New programs are better served
/// by <see cref="SharedImage"/>, where an image knows its own geometry.
/// </summary>
/// <remarks>
/// <para>The segments may be this loader's own or somebody else's: another process's, in any language.
/// <c>height</c>, <c>width</c> and <c>channel</c> say what the pixels are: 8-bit gray (1), BGR (3) or BGRA (4), rows without
/// gaps; where the segment holds an image of that size already, it stays as it is.</para>
/// <para>Every method may be called from every thread. Errors are those of <see cref="SharedImage"/>.</para>
/// </remarks>
[SuppressMessage("Performance", "CA1822", Justification = "The tutorial's methods are all called on an object.")]
public sealed class ImageLoader : IDisposable
{
    // A handle to what was used last under each name: as long as one is open, opening another is cheap, and a foreign
    // segment keeps its image. A name is opened anew for each call, because it may mean another segment by now.
    private readonly Dictionary<string, SharedImage> _kept = new(StringComparer.Ordinal);
    private bool _disposed;

    /// <summary>Makes a segment.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="size">Bytes for pixels.</param>
    /// <exception cref="ShmCvExistsException">The name is taken.</exception>
    public void CreateShareMemory(string name, long size) => Keep(name, SharedImage.Create(name, size));

    /// <summary>Removes a segment's name, whoever created it.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ShmCvNotFoundException">There is none of that name.</exception>
    public void ClearShareMemory(string name)
    {
        Segments.Clear(name);
        lock (_kept)
        {
            if (_kept.Remove(name, out var image))
            {
                image.Dispose();
            }
        }
    }

    /// <summary>Removes the names of all segments that this process created and that are still there.</summary>
    public void ClearAllShareMemory()
    {
        Segments.ClearAll();
        CloseKept();
    }

    /// <summary>Decodes an image file into a segment as 8-bit BGR.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shareName">The segment's name.</param>
    /// <returns>The image's height and width in pixels, and its number of channels.</returns>
    public (int Height, int Width, int Channels) Load(string path, string shareName)
    {
        using var image = Open(shareName);
        var info = image.Load(path);
        return (info.Height, info.Width, info.Channels);
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
        using var image = Open(shareName, height, width, channel);
        image.Show(windowName);
    }

    /// <summary>Lets the windows live for a time, or until a key is pressed in one of them.</summary>
    /// <param name="milliseconds">How long.</param>
    /// <returns>The key's character code, or -1 when the time is up.</returns>
    public int Delay(int milliseconds) => Window.Delay(milliseconds);

    /// <summary>Closes all windows.</summary>
    public void CloseWindows() => Window.CloseAll();

    /// <summary>Mirrors the pixels of one segment into another.</summary>
    /// <param name="shareNameSource">The one.</param>
    /// <param name="shareNameDestination">The other; the same name flips in place.</param>
    /// <param name="direction">0 changes top and bottom, 1 left and right, -1 both.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="channel">Samples in a pixel.</param>
    public void Flip(string shareNameSource, string shareNameDestination, int direction, int height, int width, int channel)
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
        using var image = Open(shareName, height, width, channel);
        image.Save(fileName);
    }

    /// <summary>Opens a segment that one of the methods here works on, to do with it what they do not.</summary>
    /// <param name="shareName">The segment.</param>
    /// <returns>The segment, which the caller disposes of.</returns>
    public SharedImage Open(string shareName)
    {
        var image = SharedImage.Open(shareName);
        try
        {
            Keep(shareName, SharedImage.Open(shareName));
            return image;
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    /// <summary>As <see cref="Open(string)"/>, with an image of that size in it.</summary>
    /// <param name="shareName">The segment.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Pixels in a row.</param>
    /// <param name="channel">Samples in a pixel.</param>
    /// <returns>The segment, which the caller disposes of.</returns>
    public SharedImage Open(string shareName, int height, int width, int channel)
    {
        var wanted = new ImageInfo(width, height, OrderOf(channel));
        var image = Open(shareName);
        try
        {
            if (!image.TryGetInfo(out var found) || (found.Height, found.Width, found.Channels) != (height, width, channel))
            {
                image.Info = wanted;
            }

            return image;
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    /// <summary>Ends this loader's use of its segments. They stay, under their names.</summary>
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
        _ => throw new ArgumentOutOfRangeException(nameof(channel), channel, "There are images of 1, 3 and 4 channels."),
    };

    private void Keep(string name, SharedImage image)
    {
        lock (_kept)
        {
            if (_disposed)
            {
                image.Dispose();
                throw new ObjectDisposedException(nameof(ImageLoader));
            }

            _kept.Remove(name, out var before);
            _kept.Add(name, image);
            before?.Dispose();
        }
    }

    private void CloseKept()
    {
        lock (_kept)
        {
            foreach (var image in _kept.Values)
            {
                image.Dispose();
            }

            _kept.Clear();
        }
    }
}
