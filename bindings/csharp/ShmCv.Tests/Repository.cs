using System.Reflection;

namespace ShmCv.Tests;

/// <summary>Paths in the repository.</summary>
internal static class Repository
{
    internal static string Root { get; } = Metadata("RepositoryRoot");

    internal static string Configuration { get; } = Metadata("Configuration");

    /// <summary>The framework whose assemblies of the two packages are tested.</summary>
    internal static string TestedFramework { get; } = Metadata("TestedFramework");

    internal static string TestData(string file) => Path.Combine(Root, "testdata", file);

    private static string Metadata(string key) => typeof(Repository).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == key).Value!;
}
