/* The verbs of `lathe`. argv[0] is the verb; each returns the exit status. */
#ifndef LATHE_COMMANDS_H
#define LATHE_COMMANDS_H

int cmd_gen(int argc, char **argv);      /* write a trainer's source */
int cmd_train(int argc, char **argv);    /* generate, build and run it */
int cmd_ptq(int argc, char **argv);      /* quantise without training */
int cmd_eval(int argc, char **argv);     /* its accuracy */
int cmd_classify(int argc, char **argv); /* classes of pictures */
int cmd_emit(int argc, char **argv);     /* the standalone inference file */
int cmd_verify(int argc, char **argv);   /* that file against the trainer */
int cmd_bench(int argc, char **argv);    /* how long it all takes */
int cmd_show(int argc, char **argv);     /* tables, IR, a layer's C, a page */
int cmd_diff(int argc, char **argv);     /* two configs or generated programs */
int cmd_compare(int argc, char **argv);  /* training runs side by side */
int cmd_repl(int argc, char **argv);     /* a Lua session with a net */
int cmd_import(int argc, char **argv);   /* weights from PyTorch and NumPy */
int cmd_export(int argc, char **argv);   /* weights to NumPy */
int cmd_data(int argc, char **argv); /* get CIFAR-10, or cut the repository's sample */

#endif
