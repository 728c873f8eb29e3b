using System.Runtime.CompilerServices;

namespace ShmCv;

/// <summary>
/// Checks of arguments that the native library cannot make: null references, and text that C would cut.
/// </summary>
internal static class Argument
{
    /// <summary>Refuses text that is null, and text with a NUL in it, at which C would end the text.</summary>
    internal static void Text(string? value, [CallerArgumentExpression(nameof(value))] string? name = null)
    {
        ArgumentNullException.ThrowIfNull(value, name);
        if (value.Contains('\0', StringComparison.Ordinal))
        {
            throw new ArgumentException(
                "The text contains a NUL character, at which the native library would end it.", name);
        }
    }

    /// <summary>Refuses memory that is too short for the pixels that a layout describes.</summary>
    internal static void Room(int length, ImageInfo layout, string name)
    {
        if (length < layout.Size)
        {
            throw new ArgumentException($"{layout} takes {layout.Size} bytes, and there are {length}.", name);
        }
    }
}
