using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ShmCv;
using ShmCv.SkiaSharp;
using SkiaSharp;

namespace Bench;

/// <summary>This project's packages, used as the README shows.</summary>
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
        ImageInfo image = ImageInfo.Probe(path, flags);
        Segment segment = Create(image.Size);
        if (!fresh)
        {
            segment.Load(path, flags);
        }

        return new Work(() => segment.Load(path, flags))
        {
            Restore = !fresh ? null : () =>
            {
                Remove(segment);
                segment = Create(image.Size);
            },
            Result = () => PixelsOf(segment),
            Release = () => Remove(segment),
        };
    }

    private static Work Flip(ImageInfo layout, FlipCode code, bool inPlace)
    {
        Segment source = CreateFilled(layout);
        Segment target = inPlace ? source : Create(layout.Size);
        return new Work(() => source.FlipInto(target, code))
        {
            Source = () => PixelsOf(source),
            Result = () => PixelsOf(target),
            Release = () => Remove(source, target),
        };
    }

    private static Work Save(string source, string path)
    {
        Segment segment = Create(ImageInfo.Probe(source).Size);
        segment.Load(source);
        return new Work(() => segment.Save(path)) { Release = () => Remove(segment) };
    }

    private static Work Job(string path, string output)
    {
        long size = ImageInfo.Probe(path).Size;
        Segment photograph = Create(size), mirrored = Create(size);
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
        Segment segment = CreateFilled(layout);
        if (reused)
        {
            var existing = new SKBitmap(layout.ToSKImageInfo());
            return new Work(() => segment.CopyTo(existing))
            {
                Source = () => PixelsOf(segment),
                Result = () => SkiaPeer.PixelsOf(existing),
                Release = () => { existing.Dispose(); Remove(segment); },
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
                    bitmap = segment.AsSKBitmap(SKAlphaType.Unpremul);
                }
            })
            {
                Inner = Calls,
                Source = () => PixelsOf(segment),
                Result = () => SkiaPeer.PixelsOf(bitmap!),
                Release = () => { bitmap?.Dispose(); Remove(segment); },
            };
        }

        return new Work(() => bitmap = segment.ToSKBitmap(SKAlphaType.Unpremul))
        {
            Restore = () => bitmap?.Dispose(),
            Source = () => PixelsOf(segment),
            Result = () => SkiaPeer.PixelsOf(bitmap!),
            Release = () => { bitmap?.Dispose(); Remove(segment); },
        };
    }

    private static Work FromBitmap(ImageInfo layout)
    {
        Segment segment = Create(layout.Size);
        var bitmap = new SKBitmap(new SKImageInfo(layout.Width, layout.Height, SKColorType.Bgra8888,
            layout.HasAlpha ? SKAlphaType.Unpremul : SKAlphaType.Opaque));
        SkiaPeer.PixelsOf(bitmap).Fill();
        return new Work(() => segment.CopyFrom(bitmap, layout.Order))
        {
            Source = () => SkiaPeer.PixelsOf(bitmap),
            Result = () => PixelsOf(segment),
            Release = () => { bitmap.Dispose(); Remove(segment); },
        };
    }

    private static Work Call(string name)
    {
        if (name == "next")
        {
            return Next();
        }

        if (name == "abi_version")
        {
            return new Work(() => Native.AskForVersion(Calls)) { Inner = Calls };
        }

        Segment segment = CreateFilled(new ImageInfo(64, 48, ColorOrder.Bgr));
        if (name != "image_get" || Native.shmcv_open(segment.Name, out ulong handle) != 0)
        {
            Remove(segment);
            throw new SkipException($"no call {name}");
        }

        return new Work(() => Native.AskForImage(handle, Calls))
        {
            Inner = Calls,
            Release = () => { _ = Native.shmcv_close(handle); Remove(segment); },
        };
    }

    /// <summary>Takes frames that are there already: waits, looks and gives back, by one object.</summary>
    private static Work Next()
    {
        var image = new ImageInfo(64, 48, ColorOrder.Gray);
        var writer = FrameStream.Create(SharedBlock.NewName(), image.Size, Calls + 2);
        writer.ClearOnDispose = true;
        var reader = FrameStream.Open(writer.Name);
        reader.Deliver(Delivery.Every);
        NewFrame filled = writer.Begin();
        Publish();
        Frame taken = reader.Wait();
        return new Work(() =>
        {
            for (int i = 0; i < Calls; i++)
            {
                _ = taken.Next();
                _ = taken.AsSpan();
            }
        })
        {
            Inner = Calls,
            Restore = () =>
            {
                for (int i = 0; i < Calls; i++)
                {
                    filled.Next();
                    Publish();
                }
            },
            Release = () => { taken.Dispose(); filled.Dispose(); reader.Dispose(); writer.Dispose(); },
        };

        void Publish()
        {
            filled.Image = image;
            filled.Publish();
        }
    }

    private static ImageInfo LayoutOf(Request request) => new(
        request.Number("width"), request.Number("height"),
        request.Number("channels") switch { 1 => ColorOrder.Gray, 3 => ColorOrder.Bgr, _ => ColorOrder.Bgra },
        request.Number("depth", otherwise: 8) == 16 ? Depth.U16 : Depth.U8);

    private static Segment Create(long size) => Segment.Create(SharedBlock.NewName(), size);

    private static Segment CreateFilled(ImageInfo layout)
    {
        Segment segment = Create(layout.Size);
        segment.Image = layout;
        PixelsOf(segment).Fill();
        return segment;
    }

    private static void Remove(params ReadOnlySpan<Segment> segments)
    {
        foreach (Segment segment in segments)
        {
            segment.Dispose();
        }

        Segment.ClearAll();
    }

    private static unsafe Pixels PixelsOf(Segment segment)
    {
        ImageInfo image = segment.Image;
        nint address = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(segment.AsSpan()));
        return new Pixels(address, image.Width, image.Height, image.PixelSize);
    }
}
