using OpenCvSharp;

namespace Bench;

/// <summary>OpenCvSharp, with the system's own shared memory. Results are copied into the block.</summary>
internal sealed class OpenCvSharpPeer : IPeer
{
    private readonly int _threads = Cv2.GetNumThreads(); // loads the native library; an exception means that there is no such peer

    public string Versions =>
        $"opencvsharp={Package.VersionOf(typeof(Mat))} opencvsharp-opencv={Cv2.GetVersionString()} threads={_threads}";

    public Work Prepare(Request request) => request["work"] switch
    {
        "load" => Load(request["path"], request["format"] == "png4" ? ImreadModes.Unchanged : ImreadModes.Color, request["into"] == "fresh"),
        "flip" => Flip(
            request.Number("width"), request.Number("height"),
            MatType.MakeType(request.Number("depth") == 16 ? MatType.CV_16U : MatType.CV_8U, request.Number("channels")),
            (FlipMode)request.Number("code"), request["where"] == "inplace"),
        "save" => Save(request["source"], request["path"]),
        "job" => Job(request["path"], request["out"]),
        var other => throw new SkipException($"OpenCvSharp has no {other}"),
    };

    private static Work Load(string path, ImreadModes mode, bool fresh)
    {
        var block = new SharedBlock(SharedBlock.Room);
        Pixels result = default;
        return new Work(() =>
        {
            using Mat image = Cv2.ImRead(path, mode);
            result = Copy(image, block);
        })
        {
            Restore = !fresh ? null : () =>
            {
                block.Dispose();
                block = new SharedBlock(SharedBlock.Room);
            },
            Result = () => result,
            Release = () => block.Dispose(),
        };
    }

    private static Work Flip(int width, int height, MatType type, FlipMode mode, bool inPlace)
    {
        var layout = new Pixels(0, width, height, type.Channels * (type.Depth == MatType.CV_16U ? 2 : 1));
        SharedBlock from = new(layout.Bytes), to = inPlace ? from : new SharedBlock(layout.Bytes);
        Pixels source = (layout with { Address = from.Address }).Fill();
        Mat image = Mat.FromPixelData(height, width, type, from.Address);
        return new Work(inPlace ? () => Cv2.Flip(image, image, mode) : () =>
        {
            using Mat flipped = image.Flip(mode);
            Copy(flipped, to);
        })
        {
            Source = () => source,
            Result = () => source with { Address = to.Address },
            Release = () => { image.Dispose(); from.Dispose(); to.Dispose(); },
        };
    }

    private static Work Save(string source, string path)
    {
        using Mat loaded = Cv2.ImRead(source);
        var block = new SharedBlock(SharedBlock.Room);
        Copy(loaded, block);
        Mat image = Mat.FromPixelData(loaded.Rows, loaded.Cols, loaded.Type(), block.Address);
        return new Work(() => Cv2.ImWrite(path, image)) { Release = () => { image.Dispose(); block.Dispose(); } };
    }

    private static Work Job(string path, string output)
    {
        SharedBlock photograph = new(SharedBlock.Room), mirrored = new(SharedBlock.Room);
        return new Work(() =>
        {
            using Mat image = Cv2.ImRead(path);
            Copy(image, photograph);
            using Mat flipped = image.Flip(FlipMode.Y);
            Copy(flipped, mirrored);
            Cv2.ImWrite(output, flipped);
        })
        { Release = () => { photograph.Dispose(); mirrored.Dispose(); } };
    }

    private static Pixels Copy(Mat image, SharedBlock block)
    {
        var pixels = new Pixels(image.Data, image.Cols, image.Rows, (int)image.ElemSize());
        pixels.CopyTo(block.Address);
        return pixels with { Address = block.Address };
    }
}
