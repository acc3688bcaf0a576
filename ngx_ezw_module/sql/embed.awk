# Turns the statement files into one C source: a table of {file, text, size}
# that ends with a NULL file (pg/ngx_ezw_pg_statement.c reads it), and the
# version of the newest migration (-v version=N).

function escape(s) {
    gsub(/\\/, "\\\\", s)
    gsub(/"/, "\\\"", s)
    gsub(/\t/, "\\t", s)
    gsub(/\?\?/, "?\"\"?", s)
    return s
}

BEGIN {
    if (version + 0 < 1) {
        print "embed.awk: -v version=N is missing" > "/dev/stderr"
        exit 1
    }
    print "/* Made by sql/embed.awk from sql/statements/. */"
    print ""
    print "#include \"pg/ngx_ezw_sql_files.h\""
    print ""
    nfiles = 0
}

FNR == 1 {
    if (nfiles > 0) {
        print "    ;"
    }
    name = FILENAME
    sub(/^.*\//, "", name)
    names[nfiles] = name
    printf "\nstatic const char ezw_sql_%d[] =\n", nfiles
    nfiles++
}

{
    printf "    \"%s\\n\"\n", escape($0)
}

END {
    if (nfiles > 0) {
        print "    ;"
    }
    print "\n\nconst ngx_ezw_sql_file_t  ngx_ezw_sql_files[] = {"
    for (i = 0; i < nfiles; i++) {
        printf "    { \"%s\", ezw_sql_%d, sizeof(ezw_sql_%d) - 1 },\n",
               names[i], i, i
    }
    print "    { NULL, NULL, 0 }\n};"
    print "\n\nconst int  ngx_ezw_sql_version = " (version + 0) ";"
}
