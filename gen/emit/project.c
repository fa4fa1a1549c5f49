/* The build around an emitted file: see project.h. */
#include "gen/emit/project.h"

#include "runtime/base/support.h"
#include "runtime/base/text.h"

#include <stdlib.h>
#include <string.h>

static const Project projects[] = {{"cmake", ""},
                                   {"arduino", "src/"},
                                   {"zephyr", "src/"},
                                   {"cmsis", ""},
                                   {"mlperf", ""}};
enum { PROJECTS = sizeof projects / sizeof *projects };

/* `path` in the project's folder; NAME stands for the emitted file's. */
static const struct {
    const char *kind, *folder, *path, *template;
} files[] = {
    {"cmake", "", "CMakeLists.txt", "CMakeLists.txt.in"},
    {"arduino", "", "library.properties", "library.properties.in"},
    {"arduino", "", "keywords.txt", "keywords.txt.in"},
    {"arduino", "examples/classify/", "classify.ino", "classify.ino.in"},
    {"zephyr", "", "CMakeLists.txt", "CMakeLists.txt.in"},
    {"zephyr", "", "prj.conf", "prj.conf.in"},
    {"zephyr", "", "sample.yaml", "sample.yaml.in"},
    {"zephyr", "src/", "main.c", "main.c.in"},
    {"cmsis", "", "NAME.csolution.yml", "csolution.yml.in"},
    {"cmsis", "", "NAME.cproject.yml", "cproject.yml.in"},
    {"cmsis", "", "main.c", "main.c.in"},
    {"mlperf", "", "submitter_implemented.cpp", "submitter_implemented.cpp.in"},
};
enum { FILES = sizeof files / sizeof *files };

const Project *project_find(const char *kind)
{
    for (int i = 0; i < PROJECTS; i++)
        if (strcmp(projects[i].kind, kind) == 0)
            return &projects[i];
    rt_fail("--project %s: want cmake, arduino, zephyr, cmsis or mlperf", rt_shown(kind));
    return NULL;
}

static bool make_folder(const char *folder, const char *inside)
{
    char *path = rt_format("%s/%s", folder, inside);
    bool ok = rt_make_directories(path);
    free(path);
    return ok;
}

char *project_make(const Project *project, const char *folder, const char *name)
{
    bool ok = make_folder(folder, project->source);
    for (int i = 0; ok && i < FILES; i++)
        ok = strcmp(files[i].kind, project->kind) != 0 ||
             make_folder(folder, files[i].folder);
    return ok ? rt_format("%s/%s%s.c", folder, project->source, name) : NULL;
}

static bool write_file(int file, const char *folder, const EmitInput *input)
{
    static const char stands[] = "NAME";
    const char *path = files[file].path;
    bool named = strncmp(path, stands, strlen(stands)) == 0;
    char *template = rt_format("project/%s/%s", files[file].kind, files[file].template);
    char *to = rt_format("%s/%s%s%s", folder, files[file].folder,
                         named ? input->name : "", path + (named ? strlen(stands) : 0));
    size_t bytes;
    char *text = emit(template, input, &bytes);
    bool ok = text && rt_write_if_changed(to, text, bytes);
    free(text);
    free(to);
    free(template);
    return ok;
}

bool project_write(const Project *project, const char *folder, const EmitInput *input)
{
    bool ok = true;
    for (int i = 0; ok && i < FILES; i++)
        ok = strcmp(files[i].kind, project->kind) != 0 || write_file(i, folder, input);
    return ok;
}
