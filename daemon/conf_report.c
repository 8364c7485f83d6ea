#include "conf_report.h"

#include "conf/conf.h"

struct conf *conf_report_read(const char *path, FILE *out)
{
	struct conf_mistakes mistakes = { 0 };
	struct conf *conf = conf_read(path, &mistakes);

	for (size_t i = 0; i < mistakes.count; i++) {
		const struct conf_mistake *mistake = &mistakes.items[i];

		if (mistake->line)
			fprintf(out, "%s:%d: %s\n", mistake->file, mistake->line, mistake->text);
		else
			fprintf(out, "%s: %s\n", mistake->file, mistake->text);
	}
	if (mistakes.count)
		fprintf(out, "%zu mistake%s; nothing was changed\n", mistakes.count,
			mistakes.count == 1 ? "" : "s");
	conf_mistakes_done(&mistakes);
	return conf;
}

void conf_report_summary(const struct conf *conf, FILE *out)
{
	fprintf(out, "%s is good: %zu account%s, %zu store%s, %zu job%s\n",
		conf->file_count ? conf->files[0] : "the conf", conf->account_count,
		conf->account_count == 1 ? "" : "s", conf->store_count,
		conf->store_count == 1 ? "" : "s", conf->job_count,
		conf->job_count == 1 ? "" : "s");
}
