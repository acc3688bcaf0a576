# Appended to nginx's Makefile: the statements are embedded anew when a file
# of theirs changes.

cat << END                                            >> $NGX_MAKEFILE

$NGX_OBJS/ezw_sql_files.c:	$ngx_addon_dir/ngx_ezw_module/sql/embed.awk \\
	`echo $ngx_addon_dir/ngx_ezw_module/sql/statements/*.sql`
	awk -v version=$ezw_sql_version -f $ngx_addon_dir/ngx_ezw_module/sql/embed.awk \\
	    $ngx_addon_dir/ngx_ezw_module/sql/statements/*.sql > \$@.tmp \\
	    && mv \$@.tmp \$@

END
