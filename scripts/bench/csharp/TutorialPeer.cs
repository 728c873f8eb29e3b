#if PYTHONNET
using System.Runtime.CompilerServices;
using Python.Runtime;
using SkiaSharp;

namespace Bench;

/// <summary>
/// The stack that this project replaces: pythonnet runs Python in this process, and loader.py uses cv2 and
/// multiprocessing.shared_memory there. Pixels that C# wants to see are copied out of /dev/shm. Methods of Python are
/// called by name, which is faster than through <c>dynamic</c>.
/// </summary>
internal sealed class TutorialPeer : IPeer, IDisposable
{
    private readonly PyObject _loader;
    private readonly nint _threads;

    public TutorialPeer()
    {
        string environment = Variable("SHMCV_BENCH_VENV");
        Runtime.PythonDLL = Variable("SHMCV_BENCH_LIBPYTHON");
        PythonEngine.Initialize();
        using (PyObject system = Py.Import("sys"))
        using (PyObject path = system.GetAttr("path"))
        using (var executable = new PyString(Path.Combine(environment, "bin", "python")))
        {
            Append(path, AppContext.BaseDirectory);
            Append(path, Directory.GetDirectories(Path.Combine(environment, "lib"), "python3*")[0] + "/site-packages");
            system.SetAttr("executable", executable); // multiprocessing starts this file; otherwise it would start this program again
        }

        using (PyObject module = Py.Import("loader"))
        {
            _loader = module.InvokeMethod("ImageLoader");
        }

        _threads = PythonEngine.BeginAllowThreads();
    }

    public string Versions
    {
        get
        {
            using (Py.GIL())
            using (PyObject cv2 = Py.Import("cv2"))
            using (PyObject version = cv2.GetAttr("__version__"))
            {
                return $"pythonnet={Package.VersionOf(typeof(PythonEngine))} python={PythonEngine.Version.Split(' ')[0]} opencv={version}";
            }
        }
    }

    public Work Prepare(Request request) => request["work"] switch
    {
        "load" when request["format"] != "png4" => Load(request["path"], request["into"] == "fresh"),
        "flip" when request["depth"] == "8" => Flip(LayoutOf(request), request.Number("code"), request["where"] == "inplace"),
        "save" => Save(request["source"], request["path"]),
        "job" => Job(request["path"], request["out"]),
        "tobitmap" when request["into"] == "fresh" => ToBitmap(LayoutOf(request)),
        var other => throw new SkipException($"the tutorial has no such {other}"),
    };

    public void Dispose()
    {
        PythonEngine.EndAllowThreads(_threads);
        _loader.Dispose();
        PythonEngine.Shutdown(); // otherwise finalizers, for which the runtime waits, would wait for this thread's lock
    }

    private Work Load(string path, bool fresh)
    {
        string name = Create(SharedBlock.Room);
        SharedBlock block = new(name);
        Pixels result = default;
        return new Work(() => result = Load(path, name))
        {
            Restore = !fresh ? null : () =>
            {
                block.Dispose();
                Clear();
                name = Create(SharedBlock.Room);
                block = new SharedBlock(name);
            },
            Result = () => result with { Address = block.Address },
            Release = () => { block.Dispose(); Clear(); },
        };
    }

    private Work Flip(Pixels layout, int code, bool inPlace)
    {
        string source = Create(layout.Bytes), target = inPlace ? source : Create(layout.Bytes);
        SharedBlock from = new(source), to = new(target);
        (layout with { Address = from.Address }).Fill();
        return new Work(() => Flip(source, target, code, layout))
        {
            Source = () => layout with { Address = from.Address },
            Result = () => layout with { Address = to.Address },
            Release = () => { from.Dispose(); to.Dispose(); Clear(); },
        };
    }

    private Work Save(string source, string path)
    {
        string name = Create(SharedBlock.Room);
        Pixels layout = Load(source, name);
        return new Work(() => Save(path, name, layout)) { Release = Clear };
    }

    private Work Job(string path, string output)
    {
        string photograph = Create(SharedBlock.Room), mirrored = Create(SharedBlock.Room);
        return new Work(() =>
        {
            Pixels layout = Load(path, photograph);
            Flip(photograph, mirrored, 1, layout);
            Save(output, mirrored, layout);
        })
        { Release = Clear };
    }

    private Work ToBitmap(Pixels layout)
    {
        string name = Create(layout.Bytes);
        var block = new SharedBlock(name);
        Pixels source = (layout with { Address = block.Address }).Fill();
        SKBitmap? bitmap = null;
        return new Work(() => bitmap = MemoryConvert(name, layout))
        {
            Restore = () => bitmap?.Dispose(),
            Source = () => source,
            Result = () => SkiaPeer.PixelsOf(bitmap!),
            Release = () => { bitmap?.Dispose(); block.Dispose(); Clear(); },
        };
    }

    /// <summary>The tutorial's way to Skia, with the colours in the right order.</summary>
    private static SKBitmap MemoryConvert(string name, Pixels layout)
    {
        using var block = new SharedBlock(name);
        var bitmap = new SKBitmap(new SKImageInfo(
            layout.Width, layout.Height, SKColorType.Bgra8888, layout.PixelBytes == 4 ? SKAlphaType.Unpremul : SKAlphaType.Opaque));
        if (layout.PixelBytes == 4)
        {
            (layout with { Address = block.Address }).CopyTo(bitmap.GetPixels());
        }
        else
        {
            Widen(block.Address, bitmap.GetPixels(), layout.Width * layout.Height);
        }

        return bitmap;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Widen(nint source, nint target, int pixels)
    {
        byte* from = (byte*)source, to = (byte*)target;
        for (byte* end = from + (3L * pixels); from < end; from += 3, to += 4)
        {
            to[0] = from[0];
            to[1] = from[1];
            to[2] = from[2];
            to[3] = 255;
        }
    }

    private string Create(long size)
    {
        string name = SharedBlock.NewName();
        Call("CreateShareMemory", result => true, name, size);
        return name;
    }

    private void Clear() => Call("ClearAllShareMemory", result => true);

    private Pixels Load(string path, string name) => Call(
        "Load", shape => new Pixels(0, Width: shape[1].As<int>(), Height: shape[0].As<int>(), PixelBytes: shape[2].As<int>()), path, name);

    private void Flip(string source, string target, int code, Pixels layout) =>
        Call("Flip", result => true, source, target, code, layout.Height, layout.Width, layout.PixelBytes);

    private void Save(string path, string name, Pixels layout) =>
        Call("SaveImage", result => true, path, name, layout.Height, layout.Width, layout.PixelBytes);

    private T Call<T>(string method, Func<PyObject, T> read, params ReadOnlySpan<object> arguments)
    {
        using (Py.GIL())
        {
            PyObject[] converted = Array.ConvertAll(arguments.ToArray(), argument => argument.ToPython());
            using PyObject result = _loader.InvokeMethod(method, converted);
            Array.ForEach(converted, argument => argument.Dispose());
            return read(result);
        }
    }

    private static void Append(PyObject list, string path)
    {
        using var text = new PyString(path);
        using PyObject nothing = list.InvokeMethod("append", text);
    }

    private static Pixels LayoutOf(Request request) => new(0, request.Number("width"), request.Number("height"), request.Number("channels"));

    private static string Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : throw new SkipException($"{name} is not set");
}
#endif
