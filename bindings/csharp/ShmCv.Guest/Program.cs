// Does one thing with the library, and prints the result, or the exception's type, code and message.

using ShmCv;

try
{
    Console.WriteLine(args[0] switch
    {
        "version" => $"{ShmCvLibrary.Version} {ShmCvLibrary.AbiVersion}",
        "show" => Show(args[1], args[2]),
        "show-and-wait" => ShowAndWait(args[1], args[2]),
        "flip-horizontally" => Flip(args[1]),
        "folder" => Look(args[1], args[2]),
        "hold" => Hold(args[1]),
        "watch" => Watch(args[1]),
        var unknown => throw new ArgumentException($"no command {unknown}"),
    });
    return 0;
}
catch (ShmCvException problem)
{
    Console.WriteLine($"{problem.GetType().Name} {problem.Code}: {problem.Message}");
    return 1;
}
catch (ShmCvLibraryException problem)
{
    Console.WriteLine($"{problem.GetType().Name}: {problem.Message}");
    return 1;
}

static string Show(string window, string name)
{
    using var segment = Segment.Open(name);
    segment.Show(window);
    return "shown";
}

static string ShowAndWait(string window, string name)
{
    using var segment = Segment.Open(name);
    Window.Show(window, segment);
    Window.Delay(1);
    Console.WriteLine("shown"); // the test may press a key from here on
    var key = Window.Delay(0);
    Window.CloseAll();
    return $"key {key}";
}

static string Look(string there, string other)
{
    using var opened = Segment.Open(there);
    using var made = Segment.Create(other, 100);
    return $"{opened.Info.Name} {opened.Info.Uuid}, {made.Info.Name}, {Segment.List().Count} names";
}

static string Hold(string name)
{
    using var held = Segment.Create(name, 100);
    Console.WriteLine("held"); // the test may end this process from here on
    Console.In.ReadToEnd();
    return "ended";
}

static string Watch(string name)
{
    using var stream = FrameStream.Open(name);
    using var frame = stream.Wait();
    var first = frame.AsSpan()[0];
    frame.Check();
    try
    {
        return stream.TryBegin(0)!.Name;
    }
    catch (ShmCvPermissionException)
    {
        return $"held {frame.Held}, first {first}, refused";
    }
}

static string Flip(string name)
{
    using var segment = Segment.Open(name);
    segment.Flip(FlipCode.Horizontal);
    return segment.Image.ToString();
}
