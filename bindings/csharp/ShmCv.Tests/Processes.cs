using System.Diagnostics;

namespace ShmCv.Tests;

/// <summary>Starts other programs.</summary>
internal static class Processes
{
    internal sealed record Result(int ExitCode, string Output, string Errors)
    {
        internal string All => $"exit code {ExitCode}\n{Output}\n{Errors}";
    }

    /// <summary>The path of the program ShmCv.Guest, which is built with the tests.</summary>
    internal static string Guest => Host.Current.Program(Path.Combine(AppContext.BaseDirectory, "ShmCv.Guest"));

    /// <summary>Runs a program to its end. A variable whose value is null is removed from its environment.</summary>
    internal static Result Run(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? variables = null, string? folder = null)
    {
        using var process = Start(program, arguments, variables, folder);
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Result(process.ExitCode, output, errors.Result);
    }

    internal static Process Start(
        string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? variables = null, string? folder = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "",
        };
        foreach (var (name, value) in variables ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    /// <summary>Returns true if a program can be started by its bare name.</summary>
    internal static bool Has(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator).Any(folder => File.Exists(Host.Current.Program(Path.Combine(folder, program))));
}
