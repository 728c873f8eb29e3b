namespace ShmCv.Hosting;

/// <summary>
/// The calls of a program: the life of two segments, with the mistakes that a program makes on the way.
/// </summary>
internal sealed unsafe class Guest
{
    private const uint Width = 64, Height = 48;
    private const ulong Room = Width * Height * 4;

    private static ulong shared, large;
    private static string largePhoto = "";

    private readonly string photo, saved, first, second;

    public Guest(string folder, string name)
    {
        photo = Photo(folder);
        saved = Path.Combine(folder, name + ".png");
        first = $"hosting-{Environment.ProcessId}-{name}-a";
        second = $"hosting-{Environment.ProcessId}-{name}-b";
    }

    /// <summary>
    /// Draws the picture that all guests load, with the library itself. The segment of the picture stays open, and so
    /// does a large one.
    /// </summary>
    public static void Draw(string folder)
    {
        shared = Create("photo", Width, Height);
        Expect(Library.Ok, Library.shmcv_data(shared, out byte* pixels, out _), "data");
        for (uint i = 0; i < Width * Height * 3; i++)
        {
            pixels[i] = (byte)(i * 7);
        }
        Expect(Library.Ok, Library.shmcv_save(shared, Photo(folder), Library.QualityDefault), "save");
        large = Create("large", 2000, 2000);
        largePhoto = Path.Combine(folder, "large.jpg");
        Expect(Library.Ok, Library.shmcv_save(large, largePhoto, Library.QualityDefault), "save");
    }

    private static ulong Create(string what, uint width, uint height)
    {
        string name = $"hosting-{Environment.ProcessId}-{what}";
        var image = new Library.Image { Width = width, Height = height, Channels = 3, Depth = Library.DepthU8, Order = Library.OrderBgr };
        Expect(Library.Ok, Library.shmcv_create(name, (ulong)width * height * 3, out ulong segment), "create");
        Expect(Library.Ok, Library.shmcv_image_set(segment, image), "image_set");
        Expect(Library.Ok, Library.shmcv_clear(name), "clear");
        return segment;
    }

    public void Round()
    {
        Expect(Library.Ok, Library.shmcv_create(first, Room, out ulong a), "create");
        Expect(Library.Ok, Library.shmcv_create(second, Room, out ulong b), "create");
        Expect(Library.Ok, Library.shmcv_load(a, photo, Library.LoadColor, out Library.Image image), "load");
        Expect((int)Width, (int)image.Width, "the width of the loaded image");
        Expect(Library.Ok, Library.shmcv_flip(a, b, Library.FlipHorizontal), "flip");
        ExpectMirrored(a, b);
        Expect(Library.Ok, Library.shmcv_convert(b, b, Library.OrderRgba), "convert");
        Expect(Library.Ok, Library.shmcv_save(b, saved, Library.QualityDefault), "save");

        Touch();
        Refused(Library.Exists, Library.shmcv_create(first, Room, out _), first);
        Refused(Library.Invalid, Library.shmcv_flip(a, b, 7), "7");

        // One handle is closed here, the other by the finalizer thread, as a forgotten SafeHandle is. The names are
        // cleared first: between a close and a clear, a sweep by another process would take the segments for orphans.
        Expect(Library.Ok, Library.shmcv_clear(first), "clear");
        Expect(Library.Ok, Library.shmcv_clear(second), "clear");
        Expect(Library.Ok, Library.shmcv_close(a), "close");
        Refused(Library.Closed, Library.shmcv_image_get(a, out _), "");
        _ = new Forgotten(b);
    }

    /// <summary>Makes a short call, for threads that have other things to do.</summary>
    public static void Touch() =>
        Refused(Library.NotFound, Library.shmcv_load(shared, "/no/such/photo.png", Library.LoadColor, out _), "/no/such/photo.png");

    /// <summary>
    /// Makes a call that takes milliseconds, and in which a second thread of the library or of OpenCV works. One thread
    /// at a time may make it.
    /// </summary>
    public static void Work(bool odd) => Expect(
        Library.Ok,
        odd ? Library.shmcv_load(large, largePhoto, Library.LoadColor, out _) : Library.shmcv_convert(large, large, Library.OrderRgb),
        "work");

    private static string Photo(string folder) => Path.Combine(folder, "photo.png");

    private static void ExpectMirrored(ulong a, ulong b)
    {
        Expect(Library.Ok, Library.shmcv_data(a, out byte* left, out _), "data");
        Expect(Library.Ok, Library.shmcv_data(b, out byte* right, out _), "data");
        for (uint x = 0; x < Width; x++)
        {
            Expect(left[x * 3], right[(Width - 1 - x) * 3], "a mirrored pixel");
        }
    }

    private static void Expect(int wanted, int got, string what)
    {
        Interlocked.Increment(ref Counts.Calls);
        if (got != wanted)
        {
            throw new InvalidOperationException($"{what}: {got} instead of {wanted}: {Library.LastError()}");
        }
    }

    private static void Refused(int wanted, int got, string named)
    {
        Expect(wanted, got, $"a call that must be refused, naming '{named}'");
        Interlocked.Increment(ref Counts.Refusals);
        string message = Library.LastError();
        if (message.Length == 0 || !message.Contains(named, StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"the message of error {got} does not name '{named}': {message}");
        }
    }

    private sealed class Forgotten(ulong segment)
    {
        ~Forgotten()
        {
            if (Library.shmcv_close(segment) == Library.Ok)
            {
                Interlocked.Increment(ref Counts.Finalized);
            }
        }
    }
}
