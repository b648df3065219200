/// The presets, carried inside the binary so that it runs from any folder.
public enum Presets {
    /// Preset names in the order of their size.
    public static let names = ["tiny-cpu", "published-tiny", "stories", "text8-small", "sedd-small", "sedd-medium"]

    /// The YAML text of the preset called `name`, or nil where there is none of that name.
    public static func yaml(named name: String) -> String? {
        let bytes: [UInt8]
        switch name {
        case "tiny-cpu": bytes = PackageResources.tiny_cpu_yaml
        case "published-tiny": bytes = PackageResources.published_tiny_yaml
        case "stories": bytes = PackageResources.stories_yaml
        case "text8-small": bytes = PackageResources.text8_small_yaml
        case "sedd-small": bytes = PackageResources.sedd_small_yaml
        case "sedd-medium": bytes = PackageResources.sedd_medium_yaml
        default: return nil
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
