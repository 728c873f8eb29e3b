namespace ShmCv.Tests;

/// <summary>The SDK that these tests were built with.</summary>
internal static class DotNet
{
    internal static bool IsHere => Processes.Has("dotnet");

    /// <summary>Skips the test if there is no SDK.</summary>
    internal static void Need() => Assert.SkipUnless(IsHere, "there is no dotnet in the PATH");

    internal static void Run(IEnumerable<string> arguments, string folder, Dictionary<string, string?>? variables = null)
    {
        Need();
        variables ??= [];
        variables["MSBUILDDISABLENODEREUSE"] = "1"; // no build server stays behind
        var inherited = Environment.GetEnvironmentVariables().Keys.Cast<string>()
            .Where(name => name.StartsWith("MSBuild", StringComparison.Ordinal)); // meant for the children of the dotnet that has started the tests
        foreach (var name in inherited)
        {
            variables[name] = null;
        }

        var result = Processes.Run("dotnet", arguments, variables, folder);
        Assert.True(result.ExitCode == 0, result.All);
    }
}
