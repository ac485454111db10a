/*
 * verbs.h -- the verbs of `forebay`.  One function and one file per verb.
 *
 * ARGV[0] is the verb itself ("topics"), what follows are its own words and flags, as options_load() takes them; the
 * program's name in its option table is "forebay VERB".  Standard output is for the result (with --json: one object),
 * standard error for one line of error and for progress on a terminal.  The value is the exit code.
 */
#ifndef FOREBAY_CLI_VERBS_H
#define FOREBAY_CLI_VERBS_H

enum exit_code { EXIT_DONE = 0, EXIT_WRONG_USAGE = 1, EXIT_FAILED = 2 };

int verb_topics(int argc, char **argv);
int verb_schemas(int argc, char **argv);
int verb_db(int argc, char **argv);
int verb_publish(int argc, char **argv);
int verb_simulate(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_reasons(int argc, char **argv);
int verb_report(int argc, char **argv);
int verb_checkpoints(int argc, char **argv);
int verb_models(int argc, char **argv);
int verb_train(int argc, char **argv);
int verb_backtest(int argc, char **argv);
int verb_forecast(int argc, char **argv);
int verb_detect(int argc, char **argv);

#endif
