using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ShmCv;
using ShmCv.SkiaSharp;
using SkiaSharp;

namespace Bench;

/// <summary>This project's packages, as the README shows them.</summary>
internal sealed class ShmCvPeer : IPeer
{
    private const int Calls = 1000;

    public string Versions => $"shmcv={ShmCvLibrary.Version}";

    public Work Prepare(Request request) => request["work"] switch
    {
        "load" => Load(request["path"], request["format"] == "png4" ? LoadFlags.Bgra : LoadFlags.Color, request["into"] == "fresh"),
        "flip" => Flip(LayoutOf(request), (FlipCode)request.Number("code"), request["where"] == "inplace"),
        "save" => Save(request["source"], request["path"]),
        "job" => Job(request["path"], request["out"]),
        "tobitmap" => ToBitmap(LayoutOf(request), request["into"] == "reused"),
        "frombitmap" => FromBitmap(LayoutOf(request)),
        "call" => Call(request["name"]),
        var other => throw new SkipException($"there is no {other} in C#"),
    };

    private static Work Load(string path, LoadFlags flags, bool fresh)
    {
        ImageInfo info = SharedImage.Probe(path, flags);
        SharedImage image = Create(info.ByteSize);
        if (!fresh)
        {
            image.Load(path, flags);
        }

        return new Work(() => image.Load(path, flags))
        {
            Restore = !fresh ? null : () =>
            {
                Remove(image);
                image = Create(info.ByteSize);
            },
            Result = () => PixelsOf(image),
            Release = () => Remove(image),
        };
    }

    private static Work Flip(ImageInfo layout, FlipCode code, bool inPlace)
    {
        SharedImage source = CreateFilled(layout);
        SharedImage target = inPlace ? source : Create(layout.ByteSize);
        return new Work(() => source.FlipInto(target, code))
        {
            Source = () => PixelsOf(source),
            Result = () => PixelsOf(target),
            Release = () => Remove(source, target),
        };
    }

    private static Work Save(string source, string path)
    {
        SharedImage image = Create(SharedImage.Probe(source).ByteSize);
        image.Load(source);
        return new Work(() => image.Save(path)) { Release = () => Remove(image) };
    }

    private static Work Job(string path, string output)
    {
        long size = SharedImage.Probe(path).ByteSize;
        SharedImage photograph = Create(size), mirrored = Create(size);
        return new Work(() =>
        {
            photograph.Load(path);
            photograph.FlipInto(mirrored, FlipCode.Horizontal);
            mirrored.Save(output);
        })
        { Release = () => Remove(photograph, mirrored) };
    }

    private static Work ToBitmap(ImageInfo layout, bool reused)
    {
        SharedImage image = CreateFilled(layout);
        if (reused)
        {
            var existing = new SKBitmap(layout.ToSKImageInfo());
            return new Work(() => image.CopyTo(existing))
            {
                Source = () => PixelsOf(image),
                Result = () => SkiaPeer.PixelsOf(existing),
                Release = () => { existing.Dispose(); Remove(image); },
            };
        }

        SKBitmap? bitmap = null;
        if (layout.HasAlpha)
        {
            return new Work(() =>
            {
                for (int i = 0; i < Calls; i++)
                {
                    bitmap?.Dispose();
                    bitmap = image.AsSKBitmap();
                }
            })
            {
                Inner = Calls,
                Source = () => PixelsOf(image),
                Result = () => SkiaPeer.PixelsOf(bitmap!),
                Release = () => { bitmap?.Dispose(); Remove(image); },
            };
        }

        return new Work(() => bitmap = image.ToSKBitmap())
        {
            Restore = () => bitmap?.Dispose(),
            Source = () => PixelsOf(image),
            Result = () => SkiaPeer.PixelsOf(bitmap!),
            Release = () => { bitmap?.Dispose(); Remove(image); },
        };
    }

    private static Work FromBitmap(ImageInfo layout)
    {
        SharedImage image = Create(layout.ByteSize);
        var bitmap = new SKBitmap(new SKImageInfo(layout.Width, layout.Height, SKColorType.Bgra8888,
            layout.HasAlpha ? SKAlphaType.Unpremul : SKAlphaType.Opaque));
        SkiaPeer.PixelsOf(bitmap).Fill();
        return new Work(() => image.CopyFrom(bitmap, layout.Order))
        {
            Source = () => SkiaPeer.PixelsOf(bitmap),
            Result = () => PixelsOf(image),
            Release = () => { bitmap.Dispose(); Remove(image); },
        };
    }

    private static Work Call(string name)
    {
        if (name == "abi_version")
        {
            return new Work(() => Native.AskForVersion(Calls)) { Inner = Calls };
        }

        SharedImage image = CreateFilled(new ImageInfo(64, 48, ColorOrder.Bgr));
        if (name != "image_get" || Native.shmcv_open(image.Name, out ulong segment) != 0)
        {
            Remove(image);
            throw new SkipException($"no call {name}");
        }

        return new Work(() => Native.AskForImage(segment, Calls))
        {
            Inner = Calls,
            Release = () => { _ = Native.shmcv_close(segment); Remove(image); },
        };
    }

    private static ImageInfo LayoutOf(Request request) => new(
        request.Number("width"), request.Number("height"),
        request.Number("channels") switch { 1 => ColorOrder.Gray, 3 => ColorOrder.Bgr, _ => ColorOrder.Bgra },
        request.Number("depth", otherwise: 8) == 16 ? Depth.U16 : Depth.U8);

    private static SharedImage Create(long size) => SharedImage.Create(SharedBlock.NewName(), size);

    private static SharedImage CreateFilled(ImageInfo layout)
    {
        SharedImage image = Create(layout.ByteSize);
        image.Info = layout;
        PixelsOf(image).Fill();
        return image;
    }

    private static void Remove(params ReadOnlySpan<SharedImage> images)
    {
        foreach (SharedImage image in images)
        {
            image.Dispose();
        }

        Segments.ClearAll();
    }

    private static unsafe Pixels PixelsOf(SharedImage image)
    {
        ImageInfo info = image.Info;
        return new Pixels((nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(image.AsSpan())), info.Width, info.Height, info.BytesPerPixel);
    }
}
