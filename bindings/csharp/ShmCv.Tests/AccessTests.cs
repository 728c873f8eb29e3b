using System.Diagnostics.CodeAnalysis;

namespace ShmCv.Tests;

[Collection(nameof(OpenSegments))]
[SuppressMessage("Interoperability", "CA1416", Justification = "Modes are of Unix.")]
public sealed class AccessTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    private const string ModesAreOfUnix = "modes are of Unix; the tests of shm look at what Windows has instead";

    private static UnixFileMode ModeOf(string name) => File.GetUnixFileMode(Path.Combine(Host.Current.Folder, name));

    [Fact]
    public void APathIsANameInAnotherFolder()
    {
        var path = _scratch.File("cam0");
        var told = path.Replace('\\', '/'); // the library's own form on Windows
        using (var made = Segment.Create(path, 100))
        {
            made.ClearOnDispose = true;
            Assert.Equal(path, made.Name);
            Assert.Equal(told, made.Info.Name);
            made.AsSpan()[0] = 7;
            using var opened = Segment.Open(path);
            using var reader = ReadOnlySegment.Open(path);
            Assert.Equal(7, opened.AsSpan()[0]);
            Assert.Equal(7, reader.AsSpan()[0]);
            Assert.False(Segment.OpenOrCreate(path, 1).Created);
            Assert.Contains(told, Assert.Throws<ShmCvExistsException>(() => Segment.Create(path, 1)).Message, StringComparison.Ordinal);
            Assert.Throws<ShmCvNotFoundException>(() => Segment.Open("cam0"));
        }

        Assert.False(Host.Current.HasName(path));
        using (var stream = FrameStream.Create(path, 100))
        using (var again = FrameStream.Open(path))
        {
            Assert.Equal(told, again.Info.Name);
            stream.Clear();
        }

        var nowhere = Path.GetFullPath("/nowhere");
        var missing = Assert.Throws<ShmCvNotFoundException>(() => Segment.Create(Path.Combine(nowhere, "cam0"), 1));
        Assert.Contains($"no folder {nowhere.Replace('\\', '/')}", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void APathInTheOwnFolderIsThePlainName()
    {
        var name = _scratch.Name();
        using var made = Segment.Create(Path.Combine(Host.Current.Folder, name), 1);
        Assert.Equal(name, made.Info.Name);
        using var opened = Segment.Open(name);
        Assert.Equal(made.Info.Uuid, opened.Info.Uuid);
    }

    [Theory]
    [InlineData(UnixFileMode.None)]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.GroupRead | UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.GroupRead | UnixFileMode.OtherRead)]
    public void ANewSegmentHasTheModeThatWasAskedFor(UnixFileMode more)
    {
        Host.OnLinuxBecause(ModesAreOfUnix);
        var access = new Access { Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | more };
        var image = new ImageInfo(4, 4, ColorOrder.Gray);
        Func<string, IDisposable>[] makers =
        [
            name => Segment.Create(name, 1, access), name => Segment.Create(name, image, access),
            name => Segment.FromFile(name, Repository.TestData("small-bgr.png"), access: access),
            name => Segment.OpenOrCreate(name, 1, access), name => FrameStream.Create(name, 1, access: access),
            name => FrameStream.OpenOrCreate(name, 1, access: access),
        ];
        foreach (var make in makers)
        {
            var name = _scratch.Name();
            using var made = make(name);
            Assert.Equal(access.Mode, ModeOf(name));
        }
    }

    [Fact]
    public void GroupsAreNamedOrNumbered()
    {
        Host.OnLinuxBecause(ModesAreOfUnix);
        var group = Processes.Run("id", ["-g"]).Output.Trim();
        foreach (var given in new[] { group, Processes.Run("id", ["-gn"]).Output.Trim(), null })
        {
            using var readable = Segment.Create(_scratch.Name(), 1, Access.GroupRead(given));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, ModeOf(readable.Name));
            using var writable = Segment.Create(_scratch.Name(), 1, Access.GroupWrite(given));
            Assert.True(ModeOf(writable.Name).HasFlag(UnixFileMode.GroupWrite));
            Assert.Equal(group, Processes.Run("stat", ["-c", "%g", $"/dev/shm/{writable.Name}"]).Output.Trim());
        }
    }

    [Fact]
    public void AccessThatMakesNoSenseIsRefused()
    {
        var name = _scratch.Name();
        foreach (var mode in new[]
        {
            UnixFileMode.None, UnixFileMode.UserRead, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherWrite,
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.SetUser,
        })
        {
            Assert.Throws<ShmCvInvalidException>(() => Segment.Create(name, 1, new Access { Mode = mode }));
        }

        Assert.Contains("no such group", Assert.Throws<ShmCvNotFoundException>(
            () => Segment.Create(name, 1, Access.GroupRead("no such group"))).Message, StringComparison.Ordinal);
        Assert.Throws<ShmCvNotFoundException>(() => FrameStream.Create(name, 1, access: new Access { Owner = "no such user" }));
        Assert.Throws<ArgumentException>(() => Segment.Create(name, 1, Access.GroupRead("root\0more")));
        Assert.False(Host.Current.HasName(name));
    }

    // The streams are another user's, and the reader is this user without a superuser's rights: .NET need not be where other
    // users can read it.
    [Fact]
    public void AGroupThatMayOnlyReadAStreamGetsItsFrames()
    {
        Assert.SkipUnless(Environment.UserName == "root" && Processes.Has("setpriv"), "ONLY ROOT WITH SETPRIV CAN GIVE FILES AWAY");
        Processes.Result Watch(string group)
        {
            const UnixFileMode GroupMayRead = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
            var access = new Access { Mode = GroupMayRead, Owner = "54321", Group = group };
            using var stream = FrameStream.Create(_scratch.Name(), 64, access: access);
            stream.Publish(Enumerable.Repeat((byte)7, 64).ToArray(), new ImageInfo(8, 8, ColorOrder.Gray), ColorOrder.Gray);
            return Processes.Run("setpriv", ["--bounding-set=-all", "--inh-caps=-all", Processes.Guest, "watch", stream.Name]);
        }

        Assert.Equal("held False, first 7, refused", Watch("0").Output.Trim());
        Assert.Contains(nameof(ShmCvPermissionException), Watch("54322").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void TheVariableNamesTheFolderOfPlainNames()
    {
        var variables = new Dictionary<string, string?> { ["SHMCV_FOLDER"] = _scratch.Folder };
        using var there = Segment.Create(_scratch.File("cam0"), 100);
        var run = Processes.Run(Processes.Guest, ["folder", "cam0", "cam1"], variables);
        Assert.True(run.ExitCode == 0, run.All);
        Assert.Equal($"cam0 {there.Info.Uuid}, cam1, 2 names", run.Output.Trim());
        there.Clear();
    }
}
