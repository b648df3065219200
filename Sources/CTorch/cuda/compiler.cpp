#include "compiler.h"

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <dlfcn.h>
#include <unistd.h>

#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "../guard.h"
#include "driver.h"

namespace fs = std::filesystem;

namespace ctorch::cuda {

namespace {

struct NVRTC {
    using Program = void *;
    int (*version)(int *major, int *minor);
    const char *(*error_string)(int result);
    int (*create)(Program *program, const char *text, const char *name, int headers, const char *const *header_texts,
                  const char *const *header_names);
    int (*compile)(Program program, int options, const char *const *option);
    int (*log_size)(Program program, size_t *bytes);
    int (*log)(Program program, char *text);
    int (*image_size)(Program program, size_t *bytes);
    int (*image)(Program program, char *bytes);
    int (*destroy)(Program *program);
};

// Its location in torch's wheels, relative to the folder of libtorch.
std::vector<fs::path> folders_beside_libtorch() {
    Dl_info found{};
    if (dladdr(reinterpret_cast<const void *>(&at::get_num_threads), &found) == 0 || found.dli_fname == nullptr) return {};
    std::error_code none;
    const fs::path library = fs::canonical(found.dli_fname, none).parent_path();
    const fs::path packages = library.parent_path().parent_path();
    return {packages / "nvidia/cu13/lib", packages / "nvidia/cuda_nvrtc/lib", library};
}

// NVRTC opens its builtins by their bare name, which the loader finds once they are open.
void open_builtins(const fs::path &folder) {
    std::error_code none;
    for (const auto &entry : fs::directory_iterator(folder, none)) {
        const std::string name = entry.path().filename();
        if (name.starts_with("libnvrtc-builtins.so.")) dlopen(entry.path().c_str(), RTLD_NOW | RTLD_GLOBAL);
    }
}

void *open_library() {
    const char *names[] = {"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"};
    for (const fs::path &folder : folders_beside_libtorch()) {
        for (const char *name : names) {
            std::error_code none;
            if (!fs::exists(folder / name, none)) continue;
            open_builtins(folder);
            if (void *library = dlopen((folder / name).c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
        }
    }
    for (const char *name : names) {
        if (void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return library;
    }
    TORCH_CHECK(false,
                "NVRTC, which compiles the kernels, is neither beside libtorch nor known to the loader; install it (pip "
                "install 'cuda-toolkit[nvrtc]==13.0.2') and name its folder in LD_LIBRARY_PATH, or use --device cpu");
}

NVRTC open_nvrtc() {
    const char *name = "libnvrtc";
    void *library = open_library();
    NVRTC nvrtc{};
    bind(nvrtc.version, library, "nvrtcVersion", name);
    bind(nvrtc.error_string, library, "nvrtcGetErrorString", name);
    bind(nvrtc.create, library, "nvrtcCreateProgram", name);
    bind(nvrtc.compile, library, "nvrtcCompileProgram", name);
    bind(nvrtc.log_size, library, "nvrtcGetProgramLogSize", name);
    bind(nvrtc.log, library, "nvrtcGetProgramLog", name);
    bind(nvrtc.image_size, library, "nvrtcGetCUBINSize", name);
    bind(nvrtc.image, library, "nvrtcGetCUBIN", name);
    bind(nvrtc.destroy, library, "nvrtcDestroyProgram", name);
    return nvrtc;
}

const NVRTC &shared_nvrtc() {
    static const NVRTC nvrtc = open_nvrtc();
    return nvrtc;
}

void check(int result, const char *what) {
    TORCH_CHECK(result == 0, what, ": ", shared_nvrtc().error_string(result), " (NVRTC error ", result, ")");
}

std::string compile(const std::string &text, const char *name, const std::vector<std::string> &options) {
    const NVRTC &nvrtc = shared_nvrtc();
    NVRTC::Program program = nullptr;
    check(nvrtc.create(&program, text.c_str(), name, 0, nullptr, nullptr), "making a program");
    struct Release {
        const NVRTC &nvrtc;
        NVRTC::Program program;
        ~Release() { nvrtc.destroy(&program); }
    } release{nvrtc, program};
    std::vector<const char *> words;
    for (const std::string &option : options) words.push_back(option.c_str());
    const int result = nvrtc.compile(program, static_cast<int>(words.size()), words.data());
    if (result != 0) {
        size_t bytes = 0;
        nvrtc.log_size(program, &bytes);
        std::string log(bytes, 0);
        if (bytes > 0) nvrtc.log(program, log.data());
        // The log ends with a 0; error reports keep only its first line.
        for (char &letter : log) letter = letter == '\n' || letter == 0 ? ' ' : letter;
        TORCH_CHECK(false, "compiling kernels '", name, "' for ", options[0], ": ", nvrtc.error_string(result), ": ", log);
    }
    size_t bytes = 0;
    check(nvrtc.image_size(program, &bytes), "compiling kernels");
    std::string image(bytes, 0);
    check(nvrtc.image(program, image.data()), "compiling kernels");
    return image;
}

// FNV-1a, 64 bits, from one of two starts.
uint64_t hash(const std::string &text, uint64_t state) {
    for (const unsigned char letter : text) state = (state ^ letter) * 0x100000001b3u;
    return state;
}

// Empty if no place is named: a folder that depends on the working directory could hold anybody's machine code.
fs::path cache_folder() {
    const auto variable = [](const char *name) { return std::string(std::getenv(name) ? std::getenv(name) : ""); };
    const std::pair<const char *, const char *> places[] = {
        {"SEDD_CACHE", "kernels"}, {"XDG_CACHE_HOME", "swift-sedd/kernels"}, {"HOME", ".cache/swift-sedd/kernels"}};
    for (const auto &[name, below] : places)
        if (const fs::path base = variable(name); base.is_absolute()) return base / below;
    return fs::path();
}

// Written to a temporary file and renamed, so readers never see a partial file. An unwritable cache only costs time.
void keep(const std::string &image, const fs::path &path) {
    static std::atomic<int> number{0};
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    const fs::path aside = path.string() + "." + std::to_string(getpid()) + "." + std::to_string(number++);
    std::ofstream file(aside, std::ios::binary);
    file.write(image.data(), static_cast<std::streamsize>(image.size()));
    file.close();
    if (file) fs::rename(aside, path, error);
    if (!file || error) fs::remove(aside, error);
}

}  // namespace

CompilerVersion compiler_version() {
    CompilerVersion version{};
    check(shared_nvrtc().version(&version.major, &version.minor), "NVRTC");
    return version;
}

Binary binary(const Source &source, const char *element, int architecture) {
    const std::string text = whole_text(source, element);
    const std::vector<std::string> options = {"--gpu-architecture=sm_" + std::to_string(architecture), "--std=c++17"};
    const CompilerVersion version = compiler_version();
    std::ostringstream all;
    all << version.major << '.' << version.minor << '\n';
    for (const std::string &option : options) all << option << '\n';
    all << text;
    char name[64];
    std::snprintf(name, sizeof name, "-sm_%d-%016" PRIx64 "%016" PRIx64 ".cubin", architecture,
                  hash(all.str(), 0xcbf29ce484222325u), hash(all.str(), 0x9e3779b97f4a7c15u));
    const fs::path folder = cache_folder();
    if (folder.empty()) return Binary{compile(text, source.name, options), folder, true};
    const fs::path path = folder / (std::string(source.name) + "-" + element + name);
    if (std::ifstream file(path, std::ios::binary); file) {
        std::ostringstream image;
        image << file.rdbuf();
        return Binary{image.str(), path, false};
    }
    Binary made{compile(text, source.name, options), path, true};
    keep(made.image, path);
    return made;
}

}  // namespace ctorch::cuda

CTStatus ct_kernel_compiler(int32_t *major, int32_t *minor) {
    return ctorch::guarded([&] {
        const ctorch::cuda::CompilerVersion version = ctorch::cuda::compiler_version();
        *major = version.major;
        *minor = version.minor;
    });
}

CTStatus ct_compile_kernels(int32_t architecture, int32_t *compiled, int32_t *kept) {
    return ctorch::guarded([&] {
        *compiled = *kept = 0;
        for (const ctorch::cuda::Source &source : ctorch::cuda::sources()) {
            for (const char *element : {"float", "bf16"}) {
                if (element[0] == 'b' && !source.has_elements) continue;
                ++(ctorch::cuda::binary(source, element, architecture).compiled ? *compiled : *kept);
            }
        }
    });
}
