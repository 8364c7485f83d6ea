/* views.c - the ledger as people read it, in SQL: jobs by name, times as text, keys as text. */
#include "store/sqlite/session.h"

#define ISO(ms)                                                                                    \
	"CASE WHEN " ms " <> 0 THEN strftime('%Y-%m-%dT%H:%M:%fZ', " ms                            \
	" / 1000.0, 'unixepoch') END"
#define OF_JOB(line) " JOIN leadsync_cursor AS cursor ON cursor.number = " line ".job"

const char
	views_step_1
		[] = "CREATE VIEW leadsync_v_links AS SELECT\n"
		     "	cursor.job AS job,\n"
		     "	link.remote_id AS remote_id,\n"
		     "	CAST(link.key AS TEXT) AS key,     -- of the row; NULL: it is gone\n"
		     "	CASE link.state WHEN 0 THEN 'live' WHEN 1 THEN 'deleted' ELSE "
		     "'out-of-sight' END\n"
		     "		AS state,                  -- deleted at the remote, or no longer "
		     "shown\n"
		     "	" ISO(
			     "link.written_ms") " AS written_at  -- our last write, server's "
						"clock\n"
						"FROM leadsync_link AS link" OF_JOB(
							"link") ";"

								"CREATE VIEW leadsync_v_backlog AS "
								"SELECT\n"
								"	cursor.job AS job,\n"
								"	due.state AS state,        "
								"        -- waiting, rejected, "
								"held\n"
								"	due.remote_id AS "
								"remote_id,        -- NULL: a row "
								"without a record\n"
								"	CAST(coalesce(due.key, "
								"link.key) AS TEXT) AS key,\n"
								"	" ISO(
									"due.since_ms") " AS "
											"since,\n"
											"	" ISO("du"
												      "e."
												      "ed"
												      "it"
												      "ed"
												      "_m"
												      "s") " AS edited,       -- NULL: not by an edit\n"
													   "	" ISO("due.not_before_ms") " AS not_before, -- after passing trouble\n"
																	   "	due.tries AS tries\n"
																	   "FROM leadsync_due AS due" OF_JOB(
																		   "due") " LEFT JOIN leadsync_link AS link ON link.job = due.job AND link.remote_id = "
																			  "due.remote_id\n"
																			  "UNION ALL SELECT\n"
																			  "	cursor.job,\n"
																			  "	CASE sent.unknown WHEN 1 THEN 'unknown' ELSE 'sent' END, -- not answered: read by "
																			  "id\n"
																			  "	sent.remote_id,\n"
																			  "	CAST(sent.key AS TEXT),\n"
																			  "	" ISO(
																				  "sent.sent_ms") ",\n"
																						  "	" ISO(
																							  "sent.edited_ms") ",\n"
																									    "	NULL,\n"
																									    "	sent.tries\n"
																									    "FROM leadsync_journal AS sent" OF_JOB("sent") ";"

																															   "CREATE VIEW leadsync_v_conflicts AS SELECT\n"
																															   "	conflict.number AS number,\n"
																															   "	cursor.job AS job,\n"
																															   "	conflict.state AS state,           -- open: a person must say; deciding, decided,\n"
																															   "	                                   -- resolved\n"
																															   "	conflict.remote_id AS remote_id,   -- NULL: none, or several\n"
																															   "	CAST(conflict.key AS TEXT) AS key, -- likewise\n"
																															   "	conflict.field AS field,           -- NULL: the pair as a whole\n"
																															   "	conflict.kind AS kind,\n"
																															   "	conflict.local AS local,           -- what the row held\n"
																															   "	" ISO("conflict.local_ms") " AS local_edited,\n"
																																			   "	conflict.remote AS remote,         -- what the record held\n"
																																			   "	" ISO(
																																				   "conflict.remote_ms") " AS remote_edited,\n"
																																							 "	conflict.winner AS winner,\n"
																																							 "	conflict.reason AS reason,\n"
																																							 "	conflict.run AS run,\n"
																																							 "	" ISO(
																																								 "conflict.at_ms") " AS at\n"
																																										   "FROM leadsync_conflicts AS conflict" OF_JOB("conflict") ";"

																																																	    "CREATE VIEW leadsync_v_rejects AS SELECT\n"
																																																	    "	cursor.job AS job,\n"
																																																	    "	reject.direction AS direction,     -- down: into the table; up: to the remote\n"
																																																	    "	reject.remote_id AS remote_id,     -- NULL: a row without a record\n"
																																																	    "	CAST(reject.key AS TEXT) AS key,\n"
																																																	    "	reject.code AS code,\n"
																																																	    "	reject.field AS field,\n"
																																																	    "	reject.part <> '' AS field_only,   -- 1: the rest of the pair flows\n"
																																																	    "	reject.text AS text,               -- what is wrong\n"
																																																	    "	reject.remedy AS remedy,           -- what to do\n"
																																																	    "	reject.ignored AS ignored,\n"
																																																	    "	reject.run AS run,\n"
																																																	    "	" ISO(
																																																		    "reject.at_ms") " AS at\n"
																																																				    "FROM leadsync_rejects AS reject" OF_JOB(
																																																					    "reject") ";"

																																																						      "CREATE VIEW leadsync_v_changes AS SELECT\n"
																																																						      "	change.number AS number,\n"
																																																						      "	cursor.job AS job,\n"
																																																						      "	change.remote_id AS remote_id,\n"
																																																						      "	CAST(change.key AS TEXT) AS key,\n"
																																																						      "	change.field AS field,\n"
																																																						      "	change.side AS side,               -- that was overwritten: local, remote\n"
																																																						      "	change.before AS before,\n"
																																																						      "	change.after AS after,\n"
																																																						      "	change.reason AS reason,\n"
																																																						      "	change.run AS run,\n"
																																																						      "	" ISO("change.at_ms") " AS at,\n"
																																																									      "	change.sent <> 0 AS unanswered     -- 1: the write is still on its way\n"
																																																									      "FROM leadsync_changes AS change" OF_JOB(
																																																										      "change") ";";
