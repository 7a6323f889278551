// libedit, with its variadic functions as ones that Swift can call. One shape a use.
#include <histedit.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <wchar.h>

// Feature macros would show it, but they also change structures that other modules define.
extern int wcwidth(wchar_t character);

typedef wchar_t *(*secchat_prompt_function)(EditLine *);
typedef unsigned char (*secchat_key_function)(EditLine *, int);

static inline int secchat_edit_flag(EditLine *edit, int operation, int value) {
  return el_wset(edit, operation, value);
}

static inline int secchat_edit_editor(EditLine *edit, const wchar_t *name) {
  return el_wset(edit, EL_EDITOR, name);
}

static inline int secchat_edit_client_data(EditLine *edit, void *data) {
  return el_wset(edit, EL_CLIENTDATA, data);
}

static inline void *secchat_edit_get_client_data(EditLine *edit) {
  void *data = NULL;
  return el_wget(edit, EL_CLIENTDATA, &data) == 0 ? data : NULL;
}

static inline int secchat_edit_prompt(EditLine *edit, secchat_prompt_function function) {
  return el_wset(edit, EL_PROMPT, function);
}

static inline int secchat_edit_reader(EditLine *edit, el_rfunc_t function) {
  return el_wset(edit, EL_GETCFN, function);
}

// libedit keeps the names by their addresses, hence literals.
static inline int secchat_edit_keys(EditLine *edit, secchat_key_function clear,
                                    secchat_key_function suspend, secchat_key_function complete) {
  if (el_wset(edit, EL_ADDFN, L"secchat-clear", L"Clear the line", clear) != 0 ||
      el_wset(edit, EL_ADDFN, L"secchat-suspend", L"Stop the program", suspend) != 0 ||
      el_wset(edit, EL_ADDFN, L"secchat-complete", L"Complete a word", complete) != 0)
    return -1;
  el_wset(edit, EL_BIND, L"^C", L"secchat-clear", (wchar_t *)NULL);
  el_wset(edit, EL_BIND, L"^Z", L"secchat-suspend", (wchar_t *)NULL);
  return el_wset(edit, EL_BIND, L"^I", L"secchat-complete", (wchar_t *)NULL);
}

static inline int secchat_edit_bind(EditLine *edit, const wchar_t *key, const wchar_t *function) {
  return el_wset(edit, EL_BIND, key, function, (wchar_t *)NULL);
}

static inline int secchat_edit_tty(EditLine *edit, const wchar_t *mode, const wchar_t *setting) {
  return el_wset(edit, EL_SETTY, mode, setting, (wchar_t *)NULL);
}

static inline int secchat_edit_refresh(EditLine *edit) { return el_wset(edit, EL_REFRESH); }

static inline int secchat_edit_history(EditLine *edit, HistoryW *list) {
  return el_wset(edit, EL_HIST, history_w, list);
}

static inline int secchat_history_size(HistoryW *list, int size) {
  HistEventW event;
  int result = history_w(list, &event, H_SETSIZE, size);
  return result < 0 ? result : history_w(list, &event, H_SETUNIQUE, 1);
}

static inline int secchat_history_enter(HistoryW *list, const wchar_t *line) {
  HistEventW event;
  return history_w(list, &event, H_ENTER, line);
}

// The width and height of the terminal on a descriptor; 0 where it is none.
static inline int secchat_window_size(int fd, unsigned short *columns, unsigned short *rows) {
  struct winsize size;
  if (ioctl(fd, TIOCGWINSZ, &size) != 0) return 0;
  *columns = size.ws_col;
  *rows = size.ws_row;
  return 1;
}
