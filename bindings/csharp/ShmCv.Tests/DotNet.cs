namespace ShmCv.Tests;

/// <summary>The SDK that these tests were built with.</summary>
internal static class DotNet
{
    internal static void Run(IEnumerable<string> arguments, string folder, Dictionary<string, string?>? variables = null)
    {
        if (!Processes.Has("dotnet"))
        {
            Assert.Skip("there is no dotnet in the PATH");
        }

        variables ??= [];
        variables["MSBUILDDISABLENODEREUSE"] = "1"; // no process of ours stays behind
        var inherited = Environment.GetEnvironmentVariables().Keys.Cast<string>()
            .Where(name => name.StartsWith("MSBuild", StringComparison.Ordinal)); // what the dotnet that started us tells its own
        foreach (var name in inherited)
        {
            variables[name] = null;
        }

        var result = Processes.Run("dotnet", arguments, variables, folder);
        Assert.True(result.ExitCode == 0, result.All);
    }
}
