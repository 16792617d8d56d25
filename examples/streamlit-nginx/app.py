"""The front page of an application that knows nothing of sign-in."""

import streamlit as st

st.set_page_config(page_title="Figures", page_icon="📈")
st.title("Figures")
st.write("Whoever reads this has signed in. The application itself has no idea of that.")
st.sidebar.success("Choose a page.")

if st.button("Count"):
    st.session_state["count"] = st.session_state.get("count", 0) + 1
st.write(f"Counted to {st.session_state.get('count', 0)}.")
