// Does one thing with the library, and says how that went: the exception's type, code and message, or the result.

using ShmCv;

try
{
    Console.WriteLine(args[0] switch
    {
        "version" => $"{ShmCvLibrary.Version} {ShmCvLibrary.AbiVersion}",
        "show" => Show(args[1], args[2]),
        "show-and-wait" => ShowAndWait(args[1], args[2]),
        "flip-horizontally" => Flip(args[1]),
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
    using var image = SharedImage.Open(name);
    image.Show(window);
    return "shown";
}

static string ShowAndWait(string window, string name)
{
    using var image = SharedImage.Open(name);
    Window.Show(window, image);
    Window.Delay(1);
    Console.WriteLine("shown"); // whoever started us may press a key now
    var key = Window.Delay(0);
    Window.CloseAll();
    return $"key {key}";
}

static string Flip(string name)
{
    using var image = SharedImage.Open(name);
    image.Flip(FlipCode.Horizontal);
    return image.Info.ToString();
}
